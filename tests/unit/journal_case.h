/* A run that never was, for the tests of the journal. */
#ifndef PEL_TEST_JOURNAL_CASE_H
#define PEL_TEST_JOURNAL_CASE_H

#include "journal_parts.h"

__attribute__((unused)) static const pel__run_facts facts = {
    .dir = "run",
    .config_path = "jet.ini",
    .config_json = "{\"time\": {\"dt\": {\"value\": 30.5}}}",
    .model = "shallow_water",
    .title = "a jet",
    .version = "1.2.3",
    .ranks = 4,
    .threads = 2,
    .nodes = 1,
    .cells = 1000000,
    .blocks = 4,
    .last_step = 100,
    .end_time = 8640000,
    .spherical = true,
    .progress = PEL_PROGRESS_NEVER};

__attribute__((unused)) static const pel__phase phases[] = {
    {"compute", 79, 80, 81.6},    {"halo", 5, 6, 7},
    {"output", 2, 2.5, 3},        {"agreement", .5, .5, .5},
    {"checkpoint", .1, .25, .25}, {"diagnostics", .1, .1, .1},
    {"filter", 0, 0, 0}};

__attribute__((unused)) static const pel__run_result result = {
    .step = 100,
    .steps_done = 100,
    .time = 8640000,
    .seconds = 100,
    .bytes = 1.8e12,
    .bandwidth = 2.4e10,
    .others = .004,
    .fingerprint = 0xabcdef0123,
    .phases = phases,
    .nphases = PEL_N(phases),
    .checkpoint = "run/checkpoints/step_000000100.h5",
    .open_next = "run/fields.nc"};

#endif
