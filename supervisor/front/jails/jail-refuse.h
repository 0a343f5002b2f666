#pragma once
/*
 * jail-refuse: the answer to a call for which a jail was to be made, read or saved, and was not.
 */
#include "supervisor/front/calls.h"

/**
 * jail_refuse() - code and data as call_refuse() or a quota said; else by @err
 *
 * An errno that only the monitor, a jail or the kernel gives is not the caller's fault: its code is "jail". The call is freed.
 */
void jail_refuse(Front *front, Call *call, const Error *err);
