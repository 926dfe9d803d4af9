/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * As much of libcheck's interface as the unit tests use, for machines that
 * Debian has no libcheck for.  Each test runs in a process of its own and ends
 * at its first assertion that does not hold.
 */
#ifndef FPH_PORT_CHECK_H
#define FPH_PORT_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
	const char *name;
	void (*run)(int i);
} TTest;

typedef void (*SFun)(void);
typedef struct check_case TCase;
typedef struct check_suite Suite;
typedef struct check_suite SRunner;	/* of one suite */

enum print_output { CK_NORMAL };

#define START_TEST(name)						\
	static void name##_run(int _i);					\
	static const TTest name##_test = { #name, name##_run };		\
	static const TTest *const name = &name##_test;			\
	static void name##_run(int _i)					\
	{								\
		(void)_i;
#define END_TEST	}

Suite *suite_create(const char *name);
void suite_add_tcase(Suite *suite, TCase *tc);
TCase *tcase_create(const char *name);
void tcase_set_timeout(TCase *tc, double seconds);
void tcase_add_checked_fixture(TCase *tc, SFun setup, SFun teardown);
void tcase_add_loop_test(TCase *tc, const TTest *test, int start, int end);
#define tcase_add_test(tc, test)	tcase_add_loop_test((tc), (test), 0, 1)
SRunner *srunner_create(Suite *suite);
void srunner_run_all(SRunner *runner, enum print_output how);
int srunner_ntests_failed(SRunner *runner);
void srunner_free(SRunner *runner);

__attribute__((noreturn, format(printf, 3, 4)))
void check_fail(const char *file, int line, const char *format, ...);

#define ck_abort_msg(...)	check_fail(__FILE__, __LINE__, __VA_ARGS__)
#define ck_assert_msg(x, ...)						\
	((x) ? (void)0 : check_fail(__FILE__, __LINE__, __VA_ARGS__))
#define ck_assert(x)		ck_assert_msg(x, "%s", #x)

#define CK_OP(type, a, op, b) do {					\
	type a_ = (type)(a);						\
	type b_ = (type)(b);						\
									\
	ck_assert_msg(a_ op b_, "%s: %lld, %s: %lld", #a " " #op " " #b,\
		      (long long)a_, #b, (long long)b_);		\
} while (0)
#define ck_assert_int_eq(a, b)	CK_OP(intmax_t, a, ==, b)
#define ck_assert_int_ne(a, b)	CK_OP(intmax_t, a, !=, b)
#define ck_assert_int_lt(a, b)	CK_OP(intmax_t, a, <, b)
#define ck_assert_int_le(a, b)	CK_OP(intmax_t, a, <=, b)
#define ck_assert_int_gt(a, b)	CK_OP(intmax_t, a, >, b)
#define ck_assert_int_ge(a, b)	CK_OP(intmax_t, a, >=, b)
#define ck_assert_uint_eq(a, b)	CK_OP(uintmax_t, a, ==, b)
#define ck_assert_uint_ne(a, b)	CK_OP(uintmax_t, a, !=, b)
#define ck_assert_uint_lt(a, b)	CK_OP(uintmax_t, a, <, b)
#define ck_assert_uint_le(a, b)	CK_OP(uintmax_t, a, <=, b)
#define ck_assert_uint_gt(a, b)	CK_OP(uintmax_t, a, >, b)
#define ck_assert_uint_ge(a, b)	CK_OP(uintmax_t, a, >=, b)

#define ck_assert_ptr_eq(a, b)						\
	ck_assert_msg((const void *)(a) == (const void *)(b),		\
		      "%s", #a " == " #b)
#define ck_assert_ptr_ne(a, b)						\
	ck_assert_msg((const void *)(a) != (const void *)(b),		\
		      "%s", #a " != " #b)
#define ck_assert_ptr_null(a)		ck_assert_ptr_eq(a, NULL)
#define ck_assert_ptr_nonnull(a)	ck_assert_ptr_ne(a, NULL)
#define ck_assert_str_eq(a, b)						\
	ck_assert_msg(strcmp(a, b) == 0, "%s", #a " == " #b)
#define ck_assert_str_ne(a, b)						\
	ck_assert_msg(strcmp(a, b) != 0, "%s", #a " != " #b)
#define ck_assert_mem_eq(a, b, n)					\
	ck_assert_msg(memcmp(a, b, n) == 0, "%s", #a " == " #b)

#endif /* FPH_PORT_CHECK_H */
