#pragma once
/*
 * policy-places: the directories that policies and seccomp profiles come from, first the administrator's,
 * then the shipped one; and news of their changes.
 */
#include "supervisor/front/front.h"

typedef struct PolicyPlaces PolicyPlaces;

#define POLICY_PLACES 2u /* the administrator's is 0, the shipped one 1 */

typedef struct PlaceFile { /* a file that was read */
        unsigned place;
        char shown[256]; /* its path, for people */
        char *text;      /* owned */
        size_t n;
} PlaceFile;

/** place_file_deinit() - release it */
void place_file_deinit(PlaceFile *file);
static inline void place_file_deinit_scoped(PlaceFile *file) {
        place_file_deinit(file);
}

/**
 * policy_places_new() - look into @front's administrator's directory and @dir_fd (borrowed), and watch them
 * @front: its event loop calls on each change, before any request that comes later
 */
int policy_places_new(Front *front, int dir_fd, PolicyPlaces **ret, Error *err);
/** policy_places_free() - Returns: NULL */
PolicyPlaces *policy_places_free(PolicyPlaces *places);

/** policy_places_generation() - counts up with each change */
unsigned policy_places_generation(const PolicyPlaces *places);

/**
 * policy_places_read() - a file from the first place that has it
 * @name: "default.json", "seccomp/default.json"
 * @from: first place to look into
 * Returns: 0, -ENOENT: in none; -EPERM: others may write it; or negative errno.
 */
int policy_places_read(const PolicyPlaces *places, const char *name, unsigned from, PlaceFile *ret,
                       Error *err);

/** policy_places_names() - names of all policies, sorted, each once; fresh array of strings */
cJSON *policy_places_names(const PolicyPlaces *places);
