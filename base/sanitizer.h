#pragma once
/*
 * sanitizer: what a program says to AddressSanitizer, where it is built with it.
 *
 * SANITIZER_WITHOUT_LEAK_CHECK, once in a program, as a line of its own: the leak check at the end of a process
 * attaches to it and reads /proc, which is what a process that locked itself down, or sits in a jail, cannot
 * have done to it. All other checks stay.
 */

#ifdef __has_feature
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ /* clang's way to say what gcc defines */
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#define SANITIZER_WITHOUT_LEAK_CHECK               \
        const char *__asan_default_options(void);  \
        const char *__asan_default_options(void) { \
                return "detect_leaks=0";           \
        }
#else
#define SANITIZER_WITHOUT_LEAK_CHECK
#endif
