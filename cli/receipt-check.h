#pragma once
/*
 * receipt-check: warder-receipt, which checks a receipt without any supervisor, and what it found for people.
 */
#include <stdbool.h>

#include "base/json.h"
#include "base/options.h"

typedef struct ReceiptCheck {
        const char *file; /* "-": stdin */
        OptionList keys;  /* none: those of the supervisors of this host */
        const char *anchors;
        const char *patch;
        bool json;
} ReceiptCheck;

/**
 * receipt_look() - the same, silently
 * @ret_found: what warder-receipt says: "good", "fault", "verdict", "patch", "key", …; owned by the caller
 *
 * Returns: 0 where it could be looked at, good or not; negative errno.
 */
int receipt_look(const ReceiptCheck *check, cJSON **ret_found, Error *err);

/** receipt_check() - Returns: the exit code, or negative errno */
int receipt_check(const ReceiptCheck *check, Error *err);
