/* Did you mean: the nearest of the names that would have been right. */
#ifndef PEL_SUGGEST_H
#define PEL_SUGGEST_H

/* Optimal string alignment distance (insert, delete, replace, swap neighbours), letter case free;
 * strings beyond 63 bytes compare by their first 63. */
int pel__distance(const char *a, const char *b);

/* Keeps in *best the candidate nearest to `given`, if it is near enough to be meant: start with
 * *best = NULL and call once a candidate.  Ties go to the first. */
void pel__suggest(const char *given, const char *candidate, const char **best);

/* Cuts the n-th of the choices "a|b|c" into word (size bytes); 0 if there are not that many. */
int pel__choice(const char *choices, int n, char *word, int size);

#endif
