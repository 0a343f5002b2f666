#pragma once
/*
 * plain-output: what a test command printed, without what differs from run to run: so that the same failure
 * reads the same each time, to a model that compares and to whoever asks whether something has changed.
 *
 *   addresses          0x7ffd1c2b3a40        0x…
 *   durations          (0.12s) in 3.4 sec    (…s) in … sec    as runners give them, not wherever a number has a unit
 *   clock times        12:10:59.123          …
 *   names in /tmp      /tmp/tmpab3d_x9/f     /tmp/…/f         where they look made up
 *   paths              /work/src/sum.c       src/sum.c
 *   colours            ESC[31mfailed ESC[0m  failed            all control sequences of terminals (ECMA-48)
 *
 * What a test prints of its own in these forms is replaced as well; the whole output is not touched.
 */
#include "base/buf.h"

/** plain_output() - append @n bytes of @text to @buf, so replaced. Returns: as buf_append() */
int plain_output(Buf *buf, const char *text, size_t n);
