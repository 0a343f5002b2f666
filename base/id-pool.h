#pragma once
/*
 * id-pool: where a supervisor takes the ids of jails from, unless it is told otherwise (warderd(8)).
 */
#define ID_POOL_BASE   1879048192u /* far above accounts and what subuid files give away */
#define ID_POOL_RANGES 4096u       /* of 65,536 ids each; the first is the store's */

/* Where all supervisors of a host claim ranges, and their names, wherever else an installation keeps what runs */
#define ID_CLAIMS_DIR "/run/warder/ids"
