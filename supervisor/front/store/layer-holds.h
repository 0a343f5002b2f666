#pragma once
/*
 * layer-holds: who still needs a layer that the gate made (a base, a setup layer). The last to let go has
 * it removed from the store. What a front that died left behind is removed when the next one starts.
 */
#include "supervisor/front/store/layer-import.h"

typedef struct Holds Holds;
typedef struct HoldImport HoldImport;

/** holds_new() - and remove the layers of a front that died */
int holds_new(Front *front, Holds **ret, Error *err);
/** holds_free() - NULL is fine. Returns: NULL */
Holds *holds_free(Holds *holds);

/** hold_take() - @uid needs it once more */
int hold_take(Holds *holds, const uint8_t *digest, uint32_t uid, Error *err);
/** hold_drop() - once less; what no user needs any more goes */
void hold_drop(Holds *holds, const uint8_t *digest, uint32_t uid);

/** HoldGoneFn - @uid does not need a layer any more */
typedef void (*HoldGoneFn)(const uint8_t *digest, uint32_t uid, void *userdata);
/** holds_tell() - whom to tell, one at most; NULL: nobody */
void holds_tell(Holds *holds, HoldGoneFn gone, void *userdata);

/**
 * hold_charge() - the bytes on disk of a layer that @uid holds count for it until it lets go
 *
 * Once for each user that holds it, though they stand on the same bytes: none of them pays for another.
 */
void hold_charge(Holds *holds, const uint8_t *digest, uint32_t uid, uint64_t bytes);
/** hold_is_damaged() - was the layer found damaged: what is kept to save time must not be used then */
bool hold_is_damaged(const Holds *holds, const uint8_t *digest);
/** hold_is_held() - does @uid need the layer */
bool hold_is_held(const Holds *holds, const uint8_t *digest, uint32_t uid);
/** hold_is_shared() - does @uid need it more than once */
bool hold_is_shared(Holds *holds, const uint8_t *digest, uint32_t uid);

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
