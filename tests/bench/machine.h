#pragma once
/*
 * machine: what the figures were taken on, and how busy it was with others before and after.
 */

/** machine_before() - look at it while nothing of ours runs: takes a second */
void machine_before(void);
/** machine_print() - look again, and say what it is and was */
void machine_print(void);
