#pragma once
/*
 * layers-on-disk: which layers lie in the store, as its directory has them and whatever the ledger says. The front may
 * read the names there and nothing else: it can open none of them.
 */
#include "base/digest.h"
#include "supervisor/front/front.h"

#define LAYERS_UNKNOWN_MAX 10000 /* that are told of at once; the rest the next time */

/** layer_is_on_disk() - Returns: 1, 0: it is not there, or negative errno: nobody can say */
int layer_is_on_disk(const Front *front, const uint8_t *digest, Error *err);
/**
 * layers_missing() - does @plan stand on a layer that is not in the store, whoever took it away
 *
 * Returns: 0: none is missing, or nobody can say; -EUCLEAN with a sentence that names one and says what to do.
 */
int layers_missing(const Front *front, const Plan *plan, Error *err);
/** layer_is_known() - does somebody hold it, or is it about to go; also where the ledger cannot be read */
bool layer_is_known(Front *front, const uint8_t *digest);
/**
 * layers_unknown() - those that nobody holds and that are not about to go: what a ledger that came back from a backup does
 * not know, or a crash left that lost the ledger's last rows
 * @ret: owned by the caller
 *
 * An import holds its layer before it has a name there (layer-import.c), so none that is under way is among them.
 */
int layers_unknown(Front *front, uint8_t (**ret)[DIGEST_SIZE], unsigned *ret_n, Error *err);
