#pragma once
/*
 * tap: a line a test, for people and machines.
 */
#include <stdbool.h>

/** tap_ok() - one test */
void tap_ok(bool ok, const char *name);

/** test_hash() and the rest - the tests of one file each */
void test_hash(void);
/** test_table() */
void test_table(void);
/** test_list() */
void test_list(void);
/** test_text() */
void test_text(void);
/** test_conf() */
void test_conf(void);
/** test_cache() */
void test_cache(void);
