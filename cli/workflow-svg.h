#pragma once
/*
 * workflow-svg: the tree that warder-agent describes, as a picture: a step is a box, what it holds lies in it,
 * arms lie beside each other.
 */
#include "base/buf.h"
#include "base/json.h"

#define WORKFLOW_SVG_MAX (8u << 20)

/** workflow_svg() - the whole picture into @buf, without anything that runs or loads. Returns: 0 or negative errno */
int workflow_svg(const cJSON *tree, Buf *buf);
