#pragma once
/*
 * layer-records: what the ledger knows of each layer of the store: its size, since when it is there, and what is wrong with
 * one that was found damaged. Such a layer goes into no new jail, whoever asks, until the same content is imported again.
 */
#include "supervisor/front/front.h"

#define LAYER_FAULT_MAX 240

typedef struct LayerRecord {
        uint64_t bytes, entries;
        uint64_t created_usec;       /* when it came; 0: not known */
        uint64_t checked_usec;       /* when it was last read again; 0: never */
        char fault[LAYER_FAULT_MAX]; /* ""; or what was found then */
} LayerRecord;

/** layer_record_add() - a layer is about to come to the store; where it is there already, its sizes are known now */
int layer_record_add(Front *front, const uint8_t *digest, uint64_t bytes, uint64_t entries,
                     Error *err);
/** layer_record_find() - Returns: is it known; else @ret is empty */
bool layer_record_find(Front *front, const uint8_t *digest, LayerRecord *ret);
/** layer_record_drop() - it is in the store no more; it stays known where somebody holds it, who is bringing it anew */
void layer_record_drop(Front *front, const uint8_t *digest);
/**
 * layer_record_judge() - it was read again, or has come anew
 * @fault: what is wrong with it; NULL: it is whole
 *
 * Returns: 0; negative errno: a fault is remembered all the same while this front lives.
 */
int layer_record_judge(Front *front, const uint8_t *digest, const char *fault, Error *err);

/** layer_is_damaged() - was it found so; costs nothing where no layer was */
bool layer_is_damaged(const Front *front, const uint8_t *digest);
/** layers_allow() - has @plan no damaged layer. Returns: 0, or -EUCLEAN with a sentence that says what to do */
int layers_allow(Front *front, const Plan *plan, Error *err);

/** layer_records_load() - at start: which layers are damaged */
int layer_records_load(Front *front, Error *err);
/** layer_records_stop() - at the end of the front */
void layer_records_stop(Front *front);
