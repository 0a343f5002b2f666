#pragma once
/*
 * image-user: who the user of an image's configuration is: "USER", "USER:GROUP", by name or number, held
 * against the passwd and group of the image's own tree.
 */
#include "sandbox/files/report.h"

/**
 * image_user() - look @who up in the tree @root and report RECORD_USER
 *
 * A number needs no line in passwd; its group is then that of its line, else 0.
 *
 * Returns: 0 or negative errno (refused: a name that is not there, an id that no jail has).
 */
int image_user(int root, const char *who, Report *report, Error *err);
