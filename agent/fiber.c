/*
 * fiber: ucontext over stacks from mmap(2). AddressSanitizer has to be told of each change of stack.
 *
 * Rejected: threads (cJSON, libjq and the link would each need a lock, and the order of a run would depend
 * on the scheduler), and steps written as state machines (every kind would be twice as long).
 */
#include "agent/fiber.h"

#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/owned.h"

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif

#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

struct Fiber {
        ucontext_t own;
        ucontext_t outer;
        FiberFn run;
        void *userdata; /* borrowed */
        char *memory;   /* owned; guard page and stack */
        size_t guard;   /* bytes of the guard page */
        bool ended;
        void *fake[2];           /* AddressSanitizer's: of the outer stack, of ours */
        const void *outer_stack; /* where the outer stack lies, as AddressSanitizer says */
        size_t outer_size;
};

/* Before a change of stack; @fake_save is NULL where the stack left behind will not be used again. */
static void announce(void **fake_save, const void *bottom, size_t size) {
#ifdef FIBER_ASAN
        __sanitizer_start_switch_fiber(fake_save, bottom, size);
#else
        (void) fake_save;
        (void) bottom;
        (void) size;
#endif
}

static void arrive(void *fake, const void **bottom_old, size_t *size_old) {
#ifdef FIBER_ASAN
        __sanitizer_finish_switch_fiber(fake, bottom_old, size_old);
#else
        (void) fake;
        (void) bottom_old;
        (void) size_old;
#endif
}

/* makecontext() passes ints only: the pointer comes in two halves. */
static void enter(unsigned high, unsigned low) {
        Fiber *fiber = (Fiber *) (((uintptr_t) high << 32) | (uintptr_t) low); /* NOLINT */

        arrive(NULL, &fiber->outer_stack, &fiber->outer_size);
        fiber->run(fiber->userdata);
        fiber->ended = true;
        announce(NULL, fiber->outer_stack, fiber->outer_size);
        (void) setcontext(&fiber->outer);
}

static int make_stack(Fiber *fiber) {
        long page = sysconf(_SC_PAGESIZE);

        fiber->guard = page > 0 ? (size_t) page : 4096;
        fiber->memory = mmap(NULL, fiber->guard + FIBER_STACK_BYTES, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (fiber->memory == MAP_FAILED) {
                fiber->memory = NULL;
                return -ENOMEM;
        }
        if (mprotect(fiber->memory + fiber->guard, FIBER_STACK_BYTES, PROT_READ | PROT_WRITE) < 0)
                return -ENOMEM;
        return 0;
}

int fiber_new(FiberFn run, void *userdata, Fiber **ret_fiber) {
        Fiber *fiber = calloc(1, sizeof(*fiber));
        uintptr_t self = (uintptr_t) fiber;

        if (!fiber)
                return -ENOMEM;
        fiber->run = run;
        fiber->userdata = userdata;
        if (make_stack(fiber) < 0 || getcontext(&fiber->own) < 0) {
                fiber_free(fiber);
                return -ENOMEM;
        }
        fiber->own.uc_stack.ss_sp = fiber->memory + fiber->guard;
        fiber->own.uc_stack.ss_size = FIBER_STACK_BYTES;
        fiber->own.uc_link = NULL;
        makecontext(&fiber->own, (void (*)(void)) enter, 2, (unsigned) ((uint64_t) self >> 32),
                    (unsigned) self);
        *ret_fiber = fiber;
        return 0;
}

Fiber *fiber_free(Fiber *fiber) {
        if (fiber && fiber->memory)
                (void) munmap(fiber->memory, fiber->guard + FIBER_STACK_BYTES);
        free(fiber);
        return NULL;
}

void fiber_resume(Fiber *fiber) {
        if (fiber->ended)
                return;
        announce(&fiber->fake[0], fiber->memory + fiber->guard, FIBER_STACK_BYTES);
        (void) swapcontext(&fiber->outer, &fiber->own);
        arrive(fiber->fake[0], NULL, NULL);
}

void fiber_yield(Fiber *fiber) {
        announce(&fiber->fake[1], fiber->outer_stack, fiber->outer_size);
        (void) swapcontext(&fiber->own, &fiber->outer);
        arrive(fiber->fake[1], &fiber->outer_stack, &fiber->outer_size);
}

bool fiber_is_ended(const Fiber *fiber) {
        return fiber->ended;
}
