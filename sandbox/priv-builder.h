#pragma once
/*
 * priv-builder: the process of a jail that waits for a plan, makes the mounts of it, reports, and is gone
 * before the first command starts. See stages.c for where it comes from.
 */
#include "sandbox/stages.h"

/** builder_run() - the life of a builder on a Shell; ends the process. Must: called in a child that is nothing else */
int builder_run(void *userdata);
