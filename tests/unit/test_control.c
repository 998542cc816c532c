/* How often checkpoints lose the least. */
#include "control.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Time lost a second when each checkpoint costs `cost` and failures come at random: Daly (2006),
 * eq. 20, without what a restart takes. */
static double lost(double interval, double cost, double mtbf) {
  return mtbf / interval * expm1((interval + cost) / mtbf) - 1;
}

static void least_is_lost(void **state) {
  (void)state;
  for (double cost = 1e-3; cost < 2000; cost *= 3) {
    const double mtbf = 86400, best = pel__checkpoint_interval(cost, mtbf),
                 least = lost(best, cost, mtbf);
    for (double off = 0.5; off < 2; off *= 1.1) /* nothing else is better by a thousandth */
      assert_true(least <= 1.001 * lost(off * best, cost, mtbf));
    assert_true(least < 0.98 * lost(2 * best, cost, mtbf));
  }
  assert_true(fabs(pel__checkpoint_interval(1, 86400) / 60 - 7) < 0.1);
  assert_true(fabs(pel__checkpoint_interval(60, 86400) / 60 - 53) < 0.5);
  assert_true(pel__checkpoint_interval(200, 100) == 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(least_is_lost)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
