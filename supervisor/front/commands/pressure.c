/*
 * pressure: see pressure.h. The files stay open: a read at 0 asks the kernel anew.
 */
#include "supervisor/front/commands/pressure.h"

#include <fcntl.h>
#include <string.h>

#include "base/owned.h"

#define TEXT_MAX 2048

struct Pressure {
        int fds[_RESOURCE_MAX]; /* owned; -EBADF: not there */
        int meminfo;            /* borrowed */
};

static const char *const names[_RESOURCE_MAX] = { "memory", "io", "cpu" };

const char *pressure_name(Resource resource) {
        return resource < _RESOURCE_MAX ? names[resource] : "?";
}

Pressure *pressure_free(Pressure *pressure) {
        if (!pressure)
                return NULL;
        for (unsigned i = 0; i < _RESOURCE_MAX; i++)
                owned_close(&pressure->fds[i]);
        free(pressure);
        return NULL;
}

static bool read_text(int fd, char *text) {
        ssize_t n = fd < 0 ? -1 : pread(fd, text, TEXT_MAX - 1, 0);

        if (n <= 0)
                return false;
        text[n] = '\0';
        return true;
}

static int open_below(int dir_fd, const char *name) {
        return dir_fd < 0 ? -EBADF : openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

int pressure_new(int dir_fd, int meminfo_fd, Pressure **ret, Error *err) {
        Pressure *pressure = malloc(sizeof *pressure);
        char text[TEXT_MAX];

        if (!pressure)
                return error_set(err, -ENOMEM, "watch the host's pressure");
        for (unsigned i = 0; i < _RESOURCE_MAX; i++) {
                pressure->fds[i] = open_below(dir_fd, names[i]);
                if (!read_text(pressure->fds[i], text)) { /* psi=0: it opens, but does not read */
                        owned_close(&pressure->fds[i]);
                        pressure->fds[i] = -EBADF;
                }
        }
        pressure->meminfo = meminfo_fd;
        *ret = pressure;
        return 0;
}

bool pressure_has_psi(const Pressure *pressure) {
        return pressure->fds[RESOURCE_MEMORY] >= 0;
}

/* The number behind @key; the kernel's own text, so its first line that fits is it. */
static bool number_after(const char *text, const char *key, uint64_t *ret) {
        const char *at = strstr(text, key);

        if (!at)
                return false;
        *ret = strtoull(at + strlen(key), NULL, 10);
        return true;
}

unsigned pressure_some(const Pressure *pressure, Resource resource) {
        char text[TEXT_MAX];
        uint64_t percent = 0;

        if (resource >= _RESOURCE_MAX || !read_text(pressure->fds[resource], text) ||
            !number_after(text, "some avg10=", &percent))
                return 0;
        return percent > 100 ? 100 : (unsigned) percent;
}

static uint64_t kib_after(const char *text, const char *key) {
        uint64_t kib = 0;

        (void) number_after(text, key, &kib);
        return kib;
}

uint64_t pressure_unexplained(const Pressure *pressure) {
        static const char *const explained[] = {
                "\nMemFree:",       "\nBuffers:",      "\nCached:",      "\nSwapCached:",
                "\nAnonPages:",     "\nSReclaimable:", "\nKernelStack:", "\nPageTables:",
                "\nSecPageTables:", "\nPercpu:",       "\nVmallocUsed:", "\nHugetlb:",
                "\nBalloon:",
        };
        char text[TEXT_MAX];
        uint64_t total, known = 0;

        if (!read_text(pressure->meminfo, text))
                return 0;
        total = kib_after(text, "MemTotal:");
        for (unsigned i = 0; i < ELEMENTS(explained); i++)
                known += kib_after(text, explained[i]);
        return total > known ? (total - known) * 1024 : 0;
}

uint64_t pressure_kernel(const Pressure *pressure) {
        char text[TEXT_MAX];

        return read_text(pressure->meminfo, text) ? kib_after(text, "\nSUnreclaim:") * 1024 : 0;
}

uint64_t pressure_available(const Pressure *pressure) {
        char text[TEXT_MAX];
        uint64_t kib = 0;

        if (!read_text(pressure->meminfo, text) || !number_after(text, "MemAvailable:", &kib))
                return UINT64_MAX;
        return kib * 1024;
}
