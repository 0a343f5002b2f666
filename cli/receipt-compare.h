#pragma once
/*
 * receipt-compare: did two tasks come to the same, by their receipts.
 */
#include "base/json.h"

/**
 * receipt_compare() - what they were given, what they stood on, the last verdict, the end
 * @then, @now: texts of receipts
 * @ret:        what differs, a fresh array of {what, then, now}; empty: nothing
 *
 * Returns: 0 or negative errno: one is no receipt.
 */
int receipt_compare(const char *then, const char *now, cJSON **ret, Error *err);
