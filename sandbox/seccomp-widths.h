#pragma once
/*
 * seccomp-widths: how many bits of a call's argument the kernel reads. A filter sees 64 bits of each; of an
 * int the kernel takes 32, of a file mode 16, and what stands above is the caller's to choose.
 */
#include <stdbool.h>
#include <stdint.h>

/**
 * seccomp_width() - bits of argument @index that the kernel takes: 16, 32 or 64
 * @name: the call's name
 *
 * Returns: 64 for a pointer, a long, a size, and for a call that the table does not hold.
 * Source:  the SYSCALL_DEFINE of each call, Linux 6.18; the widths are one on x86_64 and aarch64.
 */
unsigned seccomp_width(const char *name, uint32_t index);
/** seccomp_width_known() - does the table hold the call; false: its arguments are compared whole */
bool seccomp_width_known(const char *name);
