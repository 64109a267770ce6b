/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_OBSTACLES_H
#define VFIO_OBSTACLES_H

#include <hotbay/error.h>
#include <hotbay/inventory.h>

/* A growing list of reasons against a passthrough; a GArray of HbObstacle that owns the texts. */

GArray *hb_obstacles_create(void);
void hb_obstacles_add(GArray *obstacles, HbObstacleKind kind, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
void hb_obstacles_clear(gpointer obstacle);

/** hb_obstacle_kind_to_error: what a switch fails with that it is in the way of. */
HbError hb_obstacle_kind_to_error(HbObstacleKind kind);

#endif
