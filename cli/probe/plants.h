#pragma once
/*
 * plants: what "warder-probe plant" leaves in a jail for a supervisor that opens files without care.
 */
#define PLANT_DIR "/tmp/.warder-open"

/** plants_make() - the directory, links, a fifo, a file. Returns: 0 or 1 */
int plants_make(void);
