/* Typed values: one parameter's text, its unit and its limits. */
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "config_private.h"
#include "suggest.h"
#include "units.h"

/* ---- what is expected, in words */

static bool has_limits(const pel_param *p) { return p->min != 0 || p->max != 0; }

void pel__number_show(double x, char text[32]) {
  for (int digits = 1; digits <= 17; ++digits) {
    snprintf(text, 32, "%.*g", digits, x);
    if (strtod(text, NULL) == x) break;
  }
  /* 1000000 reads better than 1e6 */
  if (fabs(x) < 1e7 && x == floor(x)) snprintf(text, 32, "%.0f", x);
  char *e = strchr(text, 'e'); /* 1e+06 to 1e6 */
  if (!e) return;
  char *digits = e + 1 + (e[1] == '+' || e[1] == '-');
  while (*digits == '0') ++digits;
  e += 1 + (e[1] == '-');
  memmove(e, digits, strlen(digits) + 1);
}

static const char *unit_suffix(const pel_param *p, char text[PEL__QUOTE]) {
  const bool plain = pel__unit_is_plain(p->unit);
  snprintf(text, PEL__QUOTE, "%s%s", plain ? "" : " ", plain ? "" : p->unit);
  return text;
}

void pel__range_show(const pel_param *p, char *text, size_t size) {
  char low[32], high[32], unit[PEL__QUOTE];
  *text = '\0';
  if ((p->type != PEL_REAL && p->type != PEL_INT) || !has_limits(p)) return;
  pel__number_show(p->min, low);
  pel__number_show(p->max, high);
  unit_suffix(p, unit);
  /* limits that only keep out zero or nonsense are not worth their digits */
  const double huge = p->type == PEL_INT ? 1e15 : 1e30;
  const bool below = p->min > -huge, above = p->max < huge;
  if (below && p->min > 0 && p->min < 1.001 / huge) {
    snprintf(low, sizeof low, "0");
    snprintf(text, size, above ? "more than %s, at most %s%s" : "more than %s%s%s", low,
             above ? high : unit, above ? unit : "");
  } else if (below && above) {
    snprintf(text, size, "%s to %s%s", low, high, unit);
  } else if (below || above) {
    snprintf(text, size, "%s %s%s", below ? "at least" : "at most", below ? low : high, unit);
  }
}

static void list_choices(const char *choices, char *text, size_t size) {
  size_t at = 0;
  char word[PEL__QUOTE];
  for (int i = 0; pel__choice(choices, i, word, sizeof word) && at < size; ++i)
    at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "", word);
}

void pel__expected_show(const pel_param *p, char *text, size_t size) {
  char list[600] = "", unit[PEL__QUOTE] = "", word[80] = "";
  if (p->word) snprintf(word, sizeof word, " or '%s'", p->word);
  if (!pel__unit_is_plain(p->unit)) snprintf(unit, sizeof unit, " in %s", p->unit);
  if (p->choices) list_choices(p->choices, list, sizeof list);
  switch (p->type) {
    case PEL_REAL:
      snprintf(text, size, "a number%s%s", unit, word);
      break;
    case PEL_INT:
      snprintf(text, size, "a whole number%s", word);
      break;
    case PEL_BOOL:
      snprintf(text, size, "yes or no");
      break;
    case PEL_CHOICE:
    case PEL_TEXT:
      snprintf(text, size, p->choices ? "one of: %s" : "text", list);
      break;
  }
}

static bool fail(char why[PEL__WHY], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool fail(char why[PEL__WHY], const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vsnprintf(why, PEL__WHY, fmt, args);
  va_end(args);
  return false;
}

/* "'text' <problem>; expected ...", with a question in between when the answer is near. */
static bool wrong_near(const pel_param *p, const char *text, const char *problem, const char *best,
                       char why[PEL__WHY]) {
  char quoted[PEL__QUOTE], expected[700];
  pel__expected_show(p, expected, sizeof expected);
  pel__quote(quoted, text);
  if (best)
    return fail(why, "'%s' %s; did you mean '%s'? expected %s", quoted, problem, best, expected);
  return fail(why, "'%s' %s; expected %s", quoted, problem, expected);
}

static bool wrong(const pel_param *p, const char *text, const char *problem, char why[PEL__WHY]) {
  return wrong_near(p, text, problem, NULL, why);
}

/* ---- numbers */

/* The length of the decimal number at the start of s, 0 if there is none: strtod would also take
 * hexadecimal, "inf" and "nan(...)". */
static size_t number_length(const char *s) {
  size_t i = s[0] == '+' || s[0] == '-', digits = 0;
  for (; isdigit((unsigned char)s[i]); ++i) ++digits;
  if (s[i] == '.')
    for (++i; isdigit((unsigned char)s[i]); ++i) ++digits;
  if (digits == 0) return 0;
  if (s[i] == 'e' || s[i] == 'E') {
    size_t j = i + 1;
    if (s[j] == '+' || s[j] == '-') ++j;
    if (isdigit((unsigned char)s[j])) {
      while (isdigit((unsigned char)s[j])) ++j;
      i = j;
    }
  }
  return i;
}

static bool is_special(const char *s) {
  static const char *const words[] = {"nan", "inf", "infinity"};
  s += *s == '+' || *s == '-';
  for (int i = 0; i < PEL_N(words); ++i)
    if (strcasecmp(s, words[i]) == 0) return true;
  return strncasecmp(s, "nan(", 4) == 0;
}

static bool nonzero_digits(const char *s, size_t n) {
  for (size_t i = 0; i < n && s[i] != 'e' && s[i] != 'E'; ++i)
    if (s[i] >= '1' && s[i] <= '9') return true;
  return false;
}

/* What other languages take for numbers, and UDUNITS-2 might take for a number with a unit. */
static const char *misread(const char *text, const char *rest) {
  if (*rest == ',') return "is not a number (the decimal mark is a point)";
  if ((*rest == 'x' || *rest == 'X') && rest[-1] == '0' && rest - text <= 2)
    return "is not a decimal number";
  if ((*rest == 'd' || *rest == 'D') && number_length(rest + 1) == strlen(rest + 1) && rest[1])
    return "is not a number (the exponent is marked by an e)";
  return NULL;
}

/* The number at the start of text and the (trimmed) rest after it. */
static bool read_number(const pel_param *p, const char *text, double *x, const char **rest,
                        char why[PEL__WHY]) {
  const size_t n = number_length(text);
  if (n == 0) {
    const char *word = NULL;
    if (p->word) pel__suggest(text, p->word, &word);
    return wrong_near(p, text, is_special(text) ? "is not finite" : "is not a number", word, why);
  }
  const char *trouble = misread(text, text + n);
  if (trouble) return wrong(p, text, trouble, why);
  *x = strtod(text, NULL);
  if (!isfinite(*x)) return wrong(p, text, "is too large for a double", why);
  if (*x == 0 && nonzero_digits(text, n)) return wrong(p, text, "is too small for a double", why);
  *rest = text + n + strspn(text + n, " \t");
  return true;
}

/* pel__range_show for a value outside: what it leaves out as not worth its digits is the very thing
 * to know if the value lies beyond it. */
static void show_broken(const pel_param *p, double x, char *text, size_t size) {
  char low[32], high[32], unit[PEL__QUOTE];
  pel__range_show(p, text, size);
  pel__number_show(p->min, low);
  pel__number_show(p->max, high);
  if (strstr(text, x > p->max ? high : low) || (x <= 0 && p->min > 0)) return;
  snprintf(text, size, "%s to %s%s", low, high, unit_suffix(p, unit));
}

static bool limits(const pel_param *p, const char *text, double x, char why[PEL__WHY]) {
  if (!has_limits(p) || (x >= p->min && x <= p->max)) return true;
  char quoted[PEL__QUOTE], range[160], shown[32], unit[PEL__QUOTE], is[120] = "", word[80] = "";
  show_broken(p, x, range, sizeof range);
  if (text[number_length(text)]) { /* it was converted: say to what */
    snprintf(shown, sizeof shown, "%.6g", x);
    snprintf(is, sizeof is, "%s%s, ", shown, unit_suffix(p, unit));
  }
  if (p->word) snprintf(word, sizeof word, " or '%s'", p->word);
  return fail(why, "'%s' is %sout of range; allowed: %s%s", pel__quote(quoted, text), is, range,
              word);
}

/* '5 KM' has the unknown unit 'KM'; units are case-sensitive, which is easily forgotten. */
static bool unknown_unit(const pel_param *p, const char *text, const char *unit,
                         char why[PEL__WHY]) {
  char from[PEL__QUOTE], problem[160], lower[PEL__QUOTE];
  double ignored;
  pel__quote(lower, unit);
  for (char *s = lower; *s; ++s) *s = (char)tolower((unsigned char)*s);
  const bool near = pel__unit_convert(1, lower, p->unit, &ignored) == PEL__UNIT_OK;
  snprintf(problem, sizeof problem, "has the unknown unit '%s'", pel__quote(from, unit));
  return wrong_near(p, text, problem, near ? lower : NULL, why);
}

static bool convert(const pel_param *p, const char *text, const char *unit, double *x,
                    char why[PEL__WHY]) {
  const unsigned char first = (unsigned char)*unit;
  char quoted[PEL__QUOTE], from[PEL__QUOTE], expected[200];
  /* "1 000" is no thousandfold unit, "3,5" no list */
  if (!isalpha(first) && first < 128 && !strchr("%'\"(", first))
    return wrong(p, text, "is not a number", why);
  pel__expected_show(p, expected, sizeof expected);
  switch (pel__unit_convert(*x, unit, p->unit, x)) {
    case PEL__UNIT_OK:
      break;
    case PEL__UNIT_UNKNOWN:
      return unknown_unit(p, text, unit, why);
    case PEL__UNIT_KIND:
      if (pel__unit_is_plain(p->unit))
        return fail(why, "'%s' has the unit '%s'; expected a plain number",
                    pel__quote(quoted, text), pel__quote(from, unit));
      return fail(why, "'%s': '%s' cannot be converted to '%s'; expected %s",
                  pel__quote(quoted, text), pel__quote(from, unit), p->unit, expected);
    case PEL__UNIT_BROKEN:
      return fail(why, "units cannot be converted on this machine; give a bare number in %s",
                  pel__unit_is_plain(p->unit) ? "1" : p->unit);
  }
  if (!isfinite(*x)) return wrong(p, text, "is too large for a double", why);
  if (has_limits(p)) { /* conversion may round a value at a limit over it */
    const double slack = 4 * DBL_EPSILON;
    if (*x > p->max && *x - p->max <= slack * fabs(p->max)) *x = p->max;
    if (*x < p->min && p->min - *x <= slack * fabs(p->min)) *x = p->min;
  }
  return true;
}

static bool parse_real(const pel_param *p, const char *text, pel__value *v, char why[PEL__WHY]) {
  const char *unit;
  if (!read_number(p, text, &v->real, &unit, why)) return false;
  if (*unit && !convert(p, text, unit, &v->real, why)) return false;
  return limits(p, text, v->real, why);
}

static bool parse_int(const pel_param *p, const char *text, pel__value *v, char why[PEL__WHY]) {
  const char *rest;
  double x;
  if (!read_number(p, text, &x, &rest, why)) return false;
  if (*rest) {
    const bool unit = isalpha((unsigned char)*rest) || *rest == '%';
    return wrong(p, text, unit ? "carries a unit" : "is not a number", why);
  }
  if (x != floor(x)) return wrong(p, text, "is not a whole number", why);
  if (!limits(p, text, x, why)) return false;
  if (fabs(x) >= 0x1p63) return wrong(p, text, "is too large for a 64-bit integer", why);
  const bool plain = text[strspn(text, "+-0123456789")] == '\0'; /* exact beyond 2^53 */
  errno = 0;
  v->integer = plain ? (int64_t)strtoll(text, NULL, 10) : (int64_t)x;
  if (errno == ERANGE) return wrong(p, text, "is too large for a 64-bit integer", why);
  return true;
}

/* ---- words */

static bool parse_bool(const pel_param *p, const char *text, pel__value *v, char why[PEL__WHY]) {
  static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
  for (int i = 0; i < PEL_N(words); ++i)
    if (strcasecmp(text, words[i]) == 0) {
      v->boolean = i % 2;
      return true;
    }
  return wrong(p, text, "is neither yes nor no", why);
}

static bool parse_choice(const pel_param *p, const char *text, pel__value *v, char why[PEL__WHY]) {
  char words[32][PEL__QUOTE];
  const char *best = NULL;
  for (int i = 0; i < PEL_N(words) && pel__choice(p->choices, i, words[i], PEL__QUOTE); ++i) {
    v->choice = i;
    if (strcmp(text, words[i]) == 0) return true;
    pel__suggest(text, words[i], &best);
  }
  return wrong_near(p, text, "is not a choice", best, why);
}

bool pel__value_parse(const pel_param *p, const char *text, pel__value *v, char why[PEL__WHY]) {
  memset(v, 0, sizeof *v);
  if (p->word && strcmp(text, p->word) == 0) return v->word = true;
  if (!*text && (p->type != PEL_TEXT || p->choices)) {
    char expected[700];
    pel__expected_show(p, expected, sizeof expected);
    return fail(why, "has no value; expected %s", expected);
  }
  switch (p->type) {
    case PEL_REAL:
      return parse_real(p, text, v, why);
    case PEL_INT:
      return parse_int(p, text, v, why);
    case PEL_BOOL:
      return parse_bool(p, text, v, why);
    case PEL_CHOICE:
      return parse_choice(p, text, v, why);
    case PEL_TEXT:
      if (p->choices && !parse_choice(p, text, v, why)) return false;
      if (strlen(text) >= PEL_TEXT_MAX)
        return fail(why, "a text of %zu bytes; at most %d are allowed", strlen(text),
                    PEL_TEXT_MAX - 1);
      strcpy(v->text, text);
      return true;
  }
  return fail(why, "has no type; this is a bug in the model's table");
}

/* ---- out again */

void pel__value_store(const pel_param *p, const pel__value *v, void *base) {
  void *member = (char *)base + p->offset;
  switch (p->type) {
    case PEL_REAL:
      *(double *)member = v->real;
      break;
    case PEL_INT:
      *(int64_t *)member = v->integer;
      break;
    case PEL_BOOL:
      *(bool *)member = v->boolean;
      break;
    case PEL_CHOICE:
      *(int *)member = v->choice;
      break;
    case PEL_TEXT:
      strcpy(member, v->text);
      break;
  }
}

/* In quotes where the reader would otherwise cut or misread it. */
static void show_text(const char *s, char text[PEL__SHOWN]) {
  const size_t n = strlen(s);
  const bool edge = n > 0 && (isspace((unsigned char)s[0]) || isspace((unsigned char)s[n - 1]));
  if (!edge && *s != '"' && !strpbrk(s, "#;")) {
    strcpy(text, s);
    return;
  }
  *text++ = '"';
  for (; *s; ++s) {
    if (*s == '"') *text++ = '"';
    *text++ = *s;
  }
  strcpy(text, "\"");
}

void pel__value_show(const pel_param *p, const pel__value *v, char text[PEL__SHOWN]) {
  if (v->word) {
    snprintf(text, PEL__SHOWN, "%s", p->word);
    return;
  }
  switch (p->type) {
    case PEL_REAL:
      pel__number_show(v->real, text);
      break;
    case PEL_INT:
      snprintf(text, PEL__SHOWN, "%lld", (long long)v->integer);
      break;
    case PEL_BOOL:
      strcpy(text, v->boolean ? "yes" : "no");
      break;
    case PEL_CHOICE:
      pel__choice(p->choices, v->choice, text, PEL__QUOTE);
      break;
    case PEL_TEXT:
      show_text(v->text, text);
      break;
  }
}
