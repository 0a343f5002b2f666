#pragma once
/*
 * Ownership by scope: what is declared with one of these is released where its block ends, and leaves
 * the block only by TAKE_PTR or TAKE_FD. Cleanup functions preserve errno.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/** DEFINE_SCOPED() - let SCOPED(FREE) own a variable of TYPE (a pointer that FREE releases) */
#define DEFINE_SCOPED(TYPE, FREE)                       \
        static inline void FREE##_scoped(TYPE *owned) { \
                int saved = errno;                      \
                if (*owned)                             \
                        FREE(*owned);                   \
                errno = saved;                          \
        }                                               \
        struct scoped_needs_a_semicolon

#define SCOPED(FREE) __attribute__((cleanup(FREE##_scoped)))

static inline void owned_close(int *fd) {
        int saved = errno;

        if (*fd >= 0)
                (void) close(*fd);
        errno = saved;
}

static inline void owned_free(void *pointer) {
        int saved = errno;

        free(*(void **) pointer);
        errno = saved;
}

#define autoclose __attribute__((cleanup(owned_close)))
#define autofree  __attribute__((cleanup(owned_free)))

#define TAKE_PTR(P)                            \
        ({                                     \
                __typeof__(P) *from_ = &(P);   \
                __typeof__(P) taken_ = *from_; \
                *from_ = NULL;                 \
                taken_;                        \
        })

#define TAKE_FD(FD)                  \
        ({                           \
                int *from_ = &(FD);  \
                int taken_ = *from_; \
                *from_ = -EBADF;     \
                taken_;              \
        })

#define BIT(N)                        (1u << (N))
#define ELEMENTS(A)                   (sizeof(A) / sizeof((A)[0]))
#define container_of(P, TYPE, MEMBER) ((TYPE *) (void *) ((char *) (P) -offsetof(TYPE, MEMBER)))
