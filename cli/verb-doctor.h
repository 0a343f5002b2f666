#pragma once
/*
 * verb-doctor: "doctor": what this host can do, and whether a jail on it holds.
 */
#include "cli/verbs.h"

extern const Verb verb_doctor;
