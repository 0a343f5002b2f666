/*
 * faults: see faults.h.
 */
#include "agent/workflow/faults.h"

#include <stdio.h>
#include <string.h>

void faults_deinit(Faults *faults) {
        for (unsigned i = 0; i < faults->n; i++)
                free(faults->texts[i]);
        *faults = (Faults){ 0 };
}

int faults_take(Faults *faults, int r, Error *err) {
        if (!faults || r != -EINVAL)
                return r;
        if (faults->n == FAULTS_MAX) {
                faults->more++;
        } else {
                faults->texts[faults->n] = strdup(err->text);
                if (!faults->texts[faults->n])
                        return error_set(err, -ENOMEM, "tell what is wrong");
                faults->n++;
        }
        *err = ERROR_EMPTY;
        return 0;
}

int faults_within(Faults *faults, unsigned from, const char *place, Error *err) {
        for (unsigned i = from; faults && i < faults->n; i++) {
                char *text = NULL;

                if (asprintf(&text, "%s: %s", place, faults->texts[i]) < 0)
                        return error_set(err, -ENOMEM, "tell what is wrong");
                free(faults->texts[i]);
                faults->texts[i] = text;
        }
        return 0;
}

bool faults_any(const Faults *faults) {
        return faults && faults->n > 0;
}
