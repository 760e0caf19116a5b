/* cmocka(3), and the headers it needs before its own. TEST(name) { ... } defines a test. Each
 * check's main runs all of its tests, or the one that it is given the name of: ctest runs each as
 * spec/core/FILE/NAME. */
#ifndef LUNET_CHECK_H
#define LUNET_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEST(name) static void name(void **state __attribute__((unused)))

#endif
