#pragma once
/*
 * anchors: a receipt against the host's list of heads (supervisor/front/gate/notary.c writes it).
 */
#include "cli/receipt/check.h"

/**
 * anchors_check() - each head that the list has of this receipt is one of its lines, and its last signature is
 * in the list
 *
 * The list's numbers must rise; a line that cannot be read is told of where a number is not in the list
 * because of it.
 *
 * Returns: 0, -EBADMSG with a sentence, another errno.
 */
int anchors_check(const Check *check, const char *path, Error *err);
