#pragma once
/*
 * pressure: how hard the host works for memory, disk and processors: the kernel's pressure stall
 * information (PSI) and the memory that is available. Read when a create comes, and while one waits.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef enum Resource {
        RESOURCE_MEMORY = 0,
        RESOURCE_IO,
        RESOURCE_CPU,
        _RESOURCE_MAX,
} Resource;

typedef struct Pressure Pressure;

/**
 * pressure_new() - of a directory as /proc/pressure, and /proc/meminfo
 * @dir_fd:     with the files memory, io and cpu, borrowed; -EBADF: this kernel has no PSI
 * @meminfo_fd: borrowed, outlives us; -EBADF: what is available is not known
 *
 * Returns: 0 or -ENOMEM. Source: Documentation/accounting/psi.rst; proc_meminfo(5), MemAvailable.
 */
int pressure_new(int dir_fd, int meminfo_fd, Pressure **ret, Error *err);
/** pressure_free() - NULL is fine. Returns: NULL */
Pressure *pressure_free(Pressure *pressure);

/** pressure_has_psi() - does the kernel tell */
bool pressure_has_psi(const Pressure *pressure);
/** pressure_some() - percent of the last ten seconds in which somebody waited for it; 0 where the kernel does not tell */
unsigned pressure_some(const Pressure *pressure, Resource resource);
/** pressure_available() - bytes that the host could still give away; UINT64_MAX where that is not known */
uint64_t pressure_available(const Pressure *pressure);
/**
 * pressure_unexplained() - bytes of the host's memory that are in use and that no line of meminfo accounts for
 *
 * Pages that drivers and sockets take for themselves, what each processor keeps of freed ones (up to an
 * eighth of all, since Linux 6.7), and small objects of the kernel that it cannot give back: those stand in a line
 * of their own, which tells nothing of whose they are. 0 where the kernel does not tell.
 */
uint64_t pressure_unexplained(const Pressure *pressure);
/** pressure_kernel() - bytes of those small objects alone; 0 where the kernel does not tell */
uint64_t pressure_kernel(const Pressure *pressure);
/** pressure_name() - "memory", "io", "cpu" */
const char *pressure_name(Resource resource);
