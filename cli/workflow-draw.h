#pragma once
/*
 * workflow-draw: the tree that warder-agent describes, as lines.
 */
#include "base/json.h"

/** workflow_draw() - to stdout; all text made safe */
void workflow_draw(const cJSON *tree);
