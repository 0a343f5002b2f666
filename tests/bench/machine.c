/* machine: see machine.h. */
#include "tests/bench/machine.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/figures.h"

#define FIELDS     8 /* of /proc/stat: user nice system idle iowait irq softirq steal */
#define FIELD_IDLE 3
#define FIELD_WAIT 4
#define STEAL      7

typedef struct Ticks {
        unsigned long long all, idle, stolen;
} Ticks;

typedef struct Look {
        double load, busy, stolen; /* the latter of the processors' time, in percent */
} Look;

static Look first;
static Ticks at_start;
static uint64_t started;

static Ticks ticks(void) {
        unsigned long long field[FIELDS] = { 0 };
        FILE *file = fopen("/proc/stat", "re");
        Ticks found = { 0 };

        if (file &&
            fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &field[0], &field[1],
                   &field[2], &field[3], &field[4], &field[5], &field[6], &field[7]) != FIELDS)
                memset(field, 0, sizeof(field));
        if (file)
                (void) fclose(file);
        for (unsigned i = 0; i < FIELDS; i++)
                found.all += field[i];
        found.idle = field[FIELD_IDLE] + field[FIELD_WAIT];
        found.stolen = field[STEAL];
        return found;
}

static double percent(unsigned long long part, unsigned long long all) {
        return all ? (double) part * 100 / (double) all : 0;
}

static Look look(void) {
        Ticks then = ticks(), now;
        Look found = { 0 };

        (void) getloadavg(&found.load, 1);
        (void) nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
        now = ticks();
        found.stolen = percent(now.stolen - then.stolen, now.all - then.all);
        found.busy = percent(now.all - then.all - (now.idle - then.idle), now.all - then.all);
        return found;
}

void machine_before(void) {
        first = look();
        at_start = ticks();
        started = figures_now();
}

static void read_model(char *model, size_t n) {
        char line[256];
        FILE *file = fopen("/proc/cpuinfo", "re");

        (void) snprintf(model, n, "a processor");
        while (file && fgets(line, sizeof(line), file)) {
                const char *colon = strncmp(line, "model name", 10) == 0 ? strchr(line, ':') : NULL;

                if (!colon)
                        continue;
                (void) snprintf(model, n, "%.*s", (int) strcspn(colon + 2, "\n"), colon + 2);
                break;
        }
        if (file)
                (void) fclose(file);
}

void machine_print(void) {
        struct utsname name = { 0 };
        double seconds = (double) (figures_now() - started) / 1e9;
        Ticks end = ticks();
        Look last = look();
        char model[160];

        read_model(model, sizeof(model));
        (void) uname(&name);
        printf("\nMeasured on Linux %s, %s, %ld of them for us, %.0f GB of memory, in %.0f s. "
               "Before: "
               "load %.2f, %.0f %% of the processors' time taken by others, %.1f %% stolen by the "
               "host; afterwards: %.2f, %.0f %%, %.1f %%. Stolen during the run: %.1f %%.\n",
               name.release, model, sysconf(_SC_NPROCESSORS_ONLN),
               (double) sysconf(_SC_PHYS_PAGES) * (double) sysconf(_SC_PAGESIZE) / 1e9, seconds,
               first.load, first.busy, first.stolen, last.load, last.busy, last.stolen,
               percent(end.stolen - at_start.stolen, end.all - at_start.all));
}
