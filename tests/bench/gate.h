#pragma once
/*
 * gate: what the gate does: verify turns, proofs, and making and applying patches beside git.
 */
#include "tests/bench/server.h"

/** gate_prepare() - projects, their archives and patches, below the bench's directory. Returns: 0 or negative errno */
int gate_prepare(Bench *bench, Error *err);
/** gate_run() - prints the table */
void gate_run(Bench *bench, unsigned rounds);
