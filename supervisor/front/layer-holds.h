#pragma once
/*
 * layer-holds: who still needs a layer that the gate made (a base, a setup layer). The last to let go has
 * it removed from the store. What a front that died left behind is removed when the next one starts.
 */
#include "supervisor/front/layer-import.h"

typedef struct Holds Holds;
typedef struct HoldImport HoldImport;

/** holds_new() - and remove the layers of a front that died */
int holds_new(Front *front, Holds **ret, Error *err);
/** holds_free() - NULL is fine. Returns: NULL */
Holds *holds_free(Holds *holds);

/** hold_take() - one more who needs it */
int hold_take(Holds *holds, const uint8_t *digest, Error *err);
/** hold_drop() - one less; the last one's layer goes */
void hold_drop(Holds *holds, const uint8_t *digest);

/** HoldImportFn - once; on success the receiver holds import->digest */
typedef void (*HoldImportFn)(const LayerImport *import, const Error *err, bool refused,
                             void *userdata);

/** hold_import() - layer_import() whose result is held; spec->progress gets @userdata too */
int hold_import(Holds *holds, const LayerImportSpec *spec, HoldImportFn done, void *userdata,
                HoldImport **ret, Error *err);
/** hold_import_cancel() - @done is not called any more; what comes of it goes again. NULL is fine. Returns: NULL */
HoldImport *hold_import_cancel(HoldImport *import);
