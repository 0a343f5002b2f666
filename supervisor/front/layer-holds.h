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

/**
 * hold_charge() - the bytes on disk of a held layer count for @uid until the last one lets it go
 *
 * One layer is charged once, to who made it first: others that come to hold it stand on the same bytes.
 */
void hold_charge(Holds *holds, const uint8_t *digest, uint32_t uid, uint64_t bytes);
/** hold_is_shared() - do more than one need it */
bool hold_is_shared(Holds *holds, const uint8_t *digest);

/** HoldImportFn - once; on success the receiver holds import->digest */
typedef void (*HoldImportFn)(const LayerImport *import, const Error *err, bool refused,
                             void *userdata);

/**
 * hold_import() - layer_import() whose result is held and charged; spec->progress gets @userdata too
 *
 * While it runs its max_disk is charged, if it is not 0: what imports side by side may take is counted together.
 */
int hold_import(Holds *holds, const LayerImportSpec *spec, HoldImportFn done, void *userdata,
                HoldImport **ret, Error *err);
/** hold_import_cancel() - @done is not called any more; what comes of it goes again. NULL is fine. Returns: NULL */
HoldImport *hold_import_cancel(HoldImport *import);
