/*
 * id-offer: see id-offer.h.
 */
#include "sandbox/id-offer.h"

#include <stdio.h>
#include <string.h>

#include "sandbox/plan.h"

/* How many ranges from @base on the id map at @path holds without a gap. */
static uint32_t ranges_offered(const char *path, uint32_t base, uint32_t n) {
        unsigned long long inside, count;
        uint64_t end = base;
        FILE *file = fopen(path, "re");

        if (!file)
                return 0;
        while (fscanf(file, "%llu %*u %llu", &inside, &count) == 2)
                if (inside <= end && end < inside + count)
                        end = inside + count;
        (void) fclose(file);
        end = (end - base) / JAIL_IDS;
        return end < n ? (uint32_t) end : n;
}

uint32_t id_offer_ranges(uint32_t base, uint32_t n) {
        return ranges_offered("/proc/self/gid_map", base,
                              ranges_offered("/proc/self/uid_map", base, n));
}

typedef struct Bars {
        uint32_t base, n;
        void (*bar)(void *userdata, uint32_t range);
        void *userdata;
} Bars;

/* Bars the ranges that "name:start:count" lines hand to users. */
static void bar_given_away(const Bars *bars, const char *path) {
        unsigned long long start, count, first;
        char line[512];
        FILE *file = fopen(path, "re");

        if (!file)
                return;
        while (fgets(line, sizeof(line), file)) {
                const char *colon = strchr(line, ':');

                if (!colon || sscanf(colon, ":%llu:%llu", &start, &count) != 2)
                        continue;
                for (uint32_t i = 0; i < bars->n; i++) {
                        first = bars->base + (unsigned long long) i * JAIL_IDS;
                        if (start < first + JAIL_IDS && first < start + count)
                                bars->bar(bars->userdata, i);
                }
        }
        (void) fclose(file);
}

void id_offer_given_away(uint32_t base, uint32_t n, void (*bar)(void *userdata, uint32_t range),
                         void *userdata) {
        const Bars bars = { base, n, bar, userdata };

        bar_given_away(&bars, "/etc/subuid");
        bar_given_away(&bars, "/etc/subgid");
}
