#pragma once
/*
 * outcome: the end of a command, as an exit code and as one sentence.
 */
#include "base/buf.h"
#include "base/json.h"

/** outcome_exit_code() - of a RECORD, as the list of exit codes says */
int outcome_exit_code(const cJSON *record);

/**
 * outcome_sentence() - why the command ended
 * @record: RECORD
 * @memory: the limit that was asked for, 0: the policy's
 * @text:   is appended to; nothing where the command just exited
 */
void outcome_sentence(const cJSON *record, uint64_t memory, Buf *text);
