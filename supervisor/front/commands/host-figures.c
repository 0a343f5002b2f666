/*
 * host-figures: see host-figures.h. The files stay open: a read at 0 asks the kernel anew.
 */
#include "supervisor/front/commands/host-figures.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 1024
#define PART     4 /* of memory, which nothing explains */
#define KERNEL_PART \
        16 /* of memory, which the kernel has for itself: a busy host has one part in 30 */
#define RISE_PART 64    /* of memory, by which that rose fast */
#define CALM_PART 65536 /* of memory, which it may rise by between two reads: 0.4 MiB with 24 GiB */
#define SHARE     24    /* of memory; the kernel's own tcp_mem[0] is about one part in 22 */
#define LOOK_PART 4     /* of tcp_mem[0], below which "TCP is not bothered" (ip-sysctl.rst) */

void host_figures_tcp(const char *sockstat, const char *tcp_mem, HostFigures *ret) {
        const uint64_t page = (uint64_t) sysconf(_SC_PAGESIZE);
        const char *line = strstr(sockstat, "TCP: "), *at = line ? strstr(line, " mem ") : NULL;
        uint64_t low = tcp_mem ? strtoull(tcp_mem, NULL, 10) * page : 0;

        if (low == 0)
                low = ret->total / SHARE;
        ret->tcp = at ? strtoull(at + strlen(" mem "), NULL, 10) * page : 0;
        ret->tcp_look = low / LOOK_PART;
        ret->tcp_most = low;
}

static bool read_text(int fd, char *text) {
        ssize_t n = fd < 0 ? -1 : pread(fd, text, TEXT_MAX - 1, 0);

        if (n <= 0)
                return false;
        text[n] = '\0';
        return true;
}

static void take_kernel(HostFigures *figures, uint64_t kernel) {
        uint64_t calm = figures->kernel_calm;

        if (calm <= UINT64_MAX - figures->total / CALM_PART)
                calm += figures->total / CALM_PART;
        figures->kernel = kernel;
        figures->kernel_calm = calm < kernel ? calm : kernel;
}

bool host_figures_read(const HostFiles *files, const Pressure *pressure, HostFigures *ret) {
        char sockstat[TEXT_MAX], tcp_mem[TEXT_MAX];
        bool known = read_text(files->tcp_mem, tcp_mem);

        ret->unexplained = pressure_unexplained(pressure);
        take_kernel(ret, pressure_kernel(pressure));
        if (!read_text(files->sockstat, sockstat))
                return false;
        host_figures_tcp(sockstat, known ? tcp_mem : NULL, ret);
        return true;
}

bool host_figures_is_much(const HostFigures *figures) {
        return figures->unexplained > figures->total / PART;
}

bool host_figures_is_locked(const HostFigures *figures) {
        return figures->kernel > figures->total / KERNEL_PART + figures->usual ||
               figures->kernel - figures->kernel_calm > figures->total / RISE_PART + figures->usual;
}
