/*
 * jail-refuse: see jail-refuse.h.
 */
#include "supervisor/front/jails/jail-refuse.h"

#include "supervisor/front/policy/quotas.h"

/* Those that our own checks give, with a meaning that calls.c has a name for; the monitor's: monitor_refusal() */
static bool is_ours(int code) {
        static const int ours[] = { -EINVAL, -E2BIG, -EPERM,  -EACCES,  -EBUSY,
                                    -EDQUOT, -ESRCH, -ENOENT, -ENOTSUP, -EEXIST };

        for (unsigned i = 0; i < ELEMENTS(ours); i++)
                if (ours[i] == code)
                        return true;
        return false;
}

void jail_refuse(Front *front, Call *call, const Error *err) {
        quota_refuse(front, call, err);
        if (call_is_refused(call) || is_ours(err->code))
                call_fail(call, NULL, err);
        else
                call_fail(call, "jail", err);
}
