#pragma once
/*
 * gate: rows of what the gate does: verify turns, proofs, and making and applying patches beside git.
 */
#include "tests/bench/server.h"

/** gate_inputs() - projects, their archives and patches, below the bench's directory. Returns: 0 or negative errno */
int gate_inputs(Bench *bench, Error *err);

/** gate_command() - the command of the next two alone, in a jail that is made for it */
int gate_command(Bench *bench, Error *err);
/** gate_turn_small() - a verify with TAP and protected files of a base that is there already */
int gate_turn_small(Bench *bench, Error *err);
/** gate_turn_large() - the same of 50,000 files */
int gate_turn_large(Bench *bench, Error *err);
/** gate_first() - the first of a base: its import, its shield, its own tests, and a turn */
int gate_first(Bench *bench, Error *err);
/** gate_proof() - test first: a patch of ten hunks, each taken away, as many at a time as the host has processors */
int gate_proof(Bench *bench, Error *err);
/** gate_proof_alone() - the same, one at a time */
int gate_proof_alone(Bench *bench, Error *err);

/** gate_git_diff() - by `git diff`, of a work tree whose index is up to date */
int gate_git_diff(Bench *bench, Error *err);
/** gate_diff() - by warder-files, of an upper; no jail */
int gate_diff(Bench *bench, Error *err);
/** gate_back() - the trees as they were before a patch was applied */
int gate_back(Bench *bench, Error *err);
/** gate_git_apply() - by `git apply` */
int gate_git_apply(Bench *bench, Error *err);
/** gate_apply() - by warder-files, above a shield; no jail */
int gate_apply(Bench *bench, Error *err);
