#include "suggest.h"

#include <ctype.h>
#include <string.h>
#include "pelsim/embed.h"

enum { LONGEST = 63 };

static int smallest(int a, int b) { return a < b ? a : b; }

int pel__distance(const char *a, const char *b) {
  const int na = (int)strnlen(a, LONGEST), nb = (int)strnlen(b, LONGEST);
  int row[3][LONGEST + 1], *before = row[0], *above = row[1], *now = row[2];
  for (int j = 0; j <= nb; ++j) above[j] = j;
  for (int i = 1; i <= na; ++i) {
    now[0] = i;
    for (int j = 1; j <= nb; ++j) {
      const int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
      now[j] = smallest(smallest(above[j], now[j - 1]) + 1, above[j - 1] + (x != y));
      if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
          y == tolower((unsigned char)a[i - 2]))
        now[j] = smallest(now[j], before[j - 2] + 1);
    }
    int *spare = before;
    before = above, above = now, now = spare;
  }
  return above[nb];
}

void pel__suggest(const char *given, const char *candidate, const char **best) {
  const int length = (int)strnlen(given, LONGEST);
  const int limit = length <= 2 ? 1 : 1 + length / 4; /* a third of a short word is another word */
  int d = pel__distance(given, candidate);
  /* An abbreviation ("lon" for "longitude") is as near as one error. */
  if (d > limit && length >= 3 && strncasecmp(given, candidate, (size_t)length) == 0) d = limit;
  if (d > limit || d >= (int)strlen(candidate)) return;
  if (!*best || d < pel__distance(given, *best)) *best = candidate;
}

const char *pel_suggest(const char *word, const char *const *list, int n) {
  const char *best = NULL;
  for (int i = 0; i < n; ++i) pel__suggest(word, list[i], &best);
  return best;
}

int pel__choice(const char *choices, int n, char *word, int size) {
  for (; n > 0; --n) {
    choices = strchr(choices, '|');
    if (!choices) return 0;
    ++choices;
  }
  const int length = smallest((int)strcspn(choices, "|"), size - 1);
  memcpy(word, choices, (size_t)length);
  word[length] = '\0';
  return 1;
}
