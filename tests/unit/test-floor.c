/*
 * The floor filter, call by call: each refused call is made twice, in a child without the filter and in
 * one with it. It counts as refused only where the two answers differ; where the host or its own filter
 * refuses the call anyway, that check is skipped by name.
 */
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "filter-floor.h"
#include "tests/hostile/calls.h"
#include "tests/tap.h"

static int load(void) {
        const struct sock_fprog program = { sizeof filter_floor / sizeof *filter_floor,
                                            (struct sock_filter *) (uintptr_t) filter_floor };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

static int wait_for(pid_t pid) {
        int status = 0;

        return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void test_calls(void) {
        for (unsigned i = 0; i < sizeof call_rows / sizeof *call_rows; i++) {
                const CallRow *row = &call_rows[i];
                int outside = call_make(row, NULL), inside = call_make(row, load);

                if (row->refusal == 0)
                        ok(inside == outside, "%s is left alone: %d", row->name, inside);
                else if (outside == row->refusal)
                        tap_skip(row->name, "this host refuses it without a filter");
                else
                        ok(inside == row->refusal, "%s is refused: %d, not %d", row->name, inside,
                           outside);
        }
}

static void test_unknown_calls(void) {
        const CallRow newer = { "a call newer than the filter", 470, { 0 }, ENOSYS, 0 };

        ok(call_make(&newer, load) == ENOSYS, "a call newer than the filter answers ENOSYS");
}

#ifdef __x86_64__
static void call_i386(void) {
        long answer = 20; /* getpid there */

        __asm__ volatile("int $0x80" : "+a"(answer) : : "memory", "r8", "r9", "r10", "r11");
        _exit(answer > 0 ? 0 : 1);
}

static void test_foreign(void) {
        const CallRow x32 = { "x32", X32 | SYS_getpid, { 0 }, 0, 0 };
        pid_t pid;

        is_number(call_make(&x32, load), -SIGSYS, "a call of x32 ends the process");
        pid = fork();
        if (pid == 0)
                call_i386();
        if (wait_for(pid) != 0) {
                tap_skip("a 32-bit call ends the process", "a kernel with 32-bit calls");
                return;
        }
        pid = fork();
        if (pid == 0) {
                if (load() == 0)
                        call_i386();
                _exit(2);
        }
        is_number(wait_for(pid) & 0x7f, SIGSYS, "a 32-bit call ends the process");
}
#else
static void test_foreign(void) {
        tap_skip("a foreign call ends the process", "x86-64");
}
#endif

int main(void) {
        test_calls();
        test_unknown_calls();
        test_foreign();
        return tap_end();
}
