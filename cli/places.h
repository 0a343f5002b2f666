#pragma once
/*
 * places: where warderd lies, and what it must be told about where the rest lies. Installed: nothing. Run
 * from a build tree, the command finds it beside itself.
 */
#include <stdbool.h>
#include <stddef.h>

#define PLACE_MAX  512
#define PLACES_MAX 5

typedef struct Places {
        char warderd[PLACE_MAX];
        const char *options[PLACES_MAX]; /* "--libexec-dir", …; NULL where the default holds */
        char values[PLACES_MAX][PLACE_MAX];
} Places;

/**
 * places_find() - by $WARDER_LIBEXEC, $WARDER_DATA, $WARDER_POLICIES, $WARDER_CONFIG, $WARDER_STATE; else, where this
 * program was built and not installed, from the build tree around it
 */
void places_find(Places *ret);

/** places_state() - the state directory of a private supervisor, as warderd chooses it. Returns: @path */
const char *places_state(const char *instance, char *path, size_t n);
