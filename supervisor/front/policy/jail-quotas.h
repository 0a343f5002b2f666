#pragma once
/*
 * jail-quotas: a jail as its owner's account sees it: charged before it is made, ending, given back; and what has to go
 * to make room for it.
 */
#include "supervisor/front/front.h"

/** quota_charge_jail() - before a jail is asked for. Returns: 0, -EDQUOT (quota_refuse() knows more) */
int quota_charge_jail(Front *front, uint32_t uid, const PlanLimits *limits, Error *err);
/**
 * quota_end_jail() - it is being ended: nothing of it runs any more, the kernel clears away
 *
 * From here on it is not counted, or who has a quota of one could not run two commands one after the other.
 * What the host still holds of it is quota_is_held()'s.
 */
void quota_end_jail(Front *front, uint32_t uid, const PlanLimits *limits);
/**
 * quota_is_held() - must a jail that the quota allows wait, because the host still holds this user's last ones
 *
 * Whoever ends faster than the kernel clears has twice its quota at most: as much again is let pass while it
 * is being ended, and beyond that a request waits for the kernel (turns.h) and is not refused.
 */
bool quota_is_held(Front *front, uint32_t uid, const PlanLimits *limits);
/** quota_release_jail() - nothing of it is left; the same @limits; @ended: quota_end_jail() was called */
void quota_release_jail(Front *front, uint32_t uid, const PlanLimits *limits, bool ended);
/** quota_has_room() - would it be charged without taking anything from others of this user, and leave room for jails that somebody asks for; changes nothing */
bool quota_has_room(Front *front, uint32_t uid, const PlanLimits *limits);
/** quota_check_jail() - would it be charged; what was made ahead goes, to make room. Returns: as quota_charge_jail() */
int quota_check_jail(Front *front, uint32_t uid, const PlanLimits *limits, Error *err);
/** quota_check_jails() - likewise @n of them together */
int quota_check_jails(Front *front, uint32_t uid, const PlanLimits *limits, unsigned n, Error *err);
