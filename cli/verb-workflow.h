#pragma once
/*
 * The verbs "workflow check", "workflow show" and "workflow graph".
 */
#include "cli/verbs.h"

extern const Verb verb_workflow_check;
extern const Verb verb_workflow_show;
extern const Verb verb_workflow_graph;
