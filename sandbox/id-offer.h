#pragma once
/*
 * id-offer: which ranges of 65,536 ids this host has for us: its own id map, and what it gives to users.
 */
#include <stdint.h>

/** id_offer_ranges() - how many of @n ranges from @base on this process's own id maps hold without a gap */
uint32_t id_offer_ranges(uint32_t base, uint32_t n);

/** id_offer_given_away() - call @bar for each of @n ranges that /etc/subuid or /etc/subgid overlaps */
void id_offer_given_away(uint32_t base, uint32_t n, void (*bar)(void *userdata, uint32_t range),
                         void *userdata);
