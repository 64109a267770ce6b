/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_HW_FAKE_FUNCTION_H
#define TESTS_UNIT_HW_FAKE_FUNCTION_H

#include "hw/bus.h"
#include "hw/config-space.h"
#include "hw/host-bridge.h"

typedef struct FakeFunction FakeFunction;

/*
 * A PCI function that is only its configuration space, and counts what happens to it. A bridge
 * has one function behind it at most, at device 0. The test frees it; its release op only counts.
 */
struct FakeFunction {
	HbPciFunction function;
	HbConfigSpace config;
	HbHostBridge *attached_to;
	GString *accesses; /* "read OFFSET SIZE\n", "write OFFSET SIZE VALUE\n" in hexadecimal */
	guint n_resets;
	guint n_severs;
	guint n_releases;
	guint n_revokes;
	gboolean revokes; /* what its revoke op returns */

	/* Of a bridge: */
	FakeFunction *behind; /* (nullable) */
	guint64 mem32_size;
	guint64 mem64_size;
	guint reserved_buses;
};

/* An endpoint with Vendor ID 1b36, @device as Device ID, and a writable Command register. */
FakeFunction *fake_function_create(guint16 device);

/* A bridge with writable bus numbers and windows; for hb_host_bridge_add(). */
FakeFunction *fake_function_create_bridge(guint16 device);

void fake_function_destroy(FakeFunction *fake);

/* Gives it a BAR; @type is the register's low bits. A 64-bit one takes @index + 1 too. */
void fake_function_add_bar(FakeFunction *fake, guint index, guint64 size, guint32 type);

/* The value of a BAR's address bits now. */
guint64 fake_function_get_bar(const FakeFunction *fake, guint index);

#endif
