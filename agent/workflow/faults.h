#pragma once
/*
 * faults: what is wrong with a workflow, all of it, for those who can mend more than one at a time. A run ends at
 * the first fault; a check goes on behind it.
 */
#include "base/json.h"

#define FAULTS_MAX 20

typedef struct Faults {
        char *texts[FAULTS_MAX]; /* owned */
        unsigned n;
        unsigned more; /* that are not kept */
} Faults;

/** faults_deinit() - release what it holds; it can be used again */
void faults_deinit(Faults *faults);
static inline void faults_deinit_scoped(Faults *faults) {
        faults_deinit(faults);
}

/**
 * faults_take() - go on behind a fault
 * @faults: NULL: nobody collects them, and the first ends it
 * @r:      what a check returned, @err its reason
 *
 * Returns: 0 where @err was taken (and is empty now), else @r; -ENOMEM.
 */
int faults_take(Faults *faults, int r, Error *err);

/** faults_within() - those from number @from on lie in what is at @place: it is said before each. Returns: 0 or -ENOMEM */
int faults_within(Faults *faults, unsigned from, const char *place, Error *err);

/** faults_any() - was one taken */
bool faults_any(const Faults *faults);
