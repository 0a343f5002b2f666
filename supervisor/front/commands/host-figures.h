#pragma once
/*
 * host-figures: what the kernel says of the whole host's memory that no group is charged with, four times a second.
 */
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/front/commands/pressure.h"

typedef struct HostFigures {  /* in bytes */
        uint64_t tcp;         /* used by TCP, of all network namespaces together */
        uint64_t tcp_look;    /* above it, jails are asked */
        uint64_t tcp_most;    /* above it, the kernel is about to make everybody's TCP slow */
        uint64_t unexplained; /* pressure_unexplained() */
        uint64_t kernel;      /* pressure_kernel(): locks stand there, among much else */
        uint64_t kernel_calm; /* follows it down at once, and up a little at each read */
        uint64_t usual; /* the caller's: of the kernel's, what so many jails take by themselves */
        uint64_t total; /* memory of the host */
} HostFigures;

typedef struct HostFiles { /* borrowed; -EBADF: not there */
        int sockstat;      /* /proc/net/sockstat */
        int tcp_mem; /* /proc/sys/net/ipv4/tcp_mem; without it a share of memory stands for it */
} HostFiles;

/**
 * host_figures_read() - ask the kernel
 * @ret: as it was where there is no sockstat, but for what meminfo says; @ret->total is the caller's, kernel_calm
 *       UINT64_MAX before the first time
 *
 * Returns: true where TCP's numbers are known.
 */
bool host_figures_read(const HostFiles *files, const Pressure *pressure, HostFigures *ret);

/** host_figures_tcp() - what the kernel's two texts say; @tcp_mem NULL: @ret->total decides */
void host_figures_tcp(const char *sockstat, const char *tcp_mem, HostFigures *ret);

/** host_figures_is_much() - more is unexplained than a host without attackers ever has */
bool host_figures_is_much(const HostFigures *figures);
/** host_figures_is_locked() - the kernel has so much for itself, or came to it so fast, that locks may be in it */
bool host_figures_is_locked(const HostFigures *figures);
