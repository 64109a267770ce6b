/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_PCI_H
#define HOTBAY_PCI_H

/** pci.h: PCI addresses and functions, and the host bridge that the guest's accesses go to. */

#include <hotbay/host.h>

G_BEGIN_DECLS

/**
 * HB_PCI_DEVFN:
 * @device: 0 to 31
 * @function: 0 to 7
 *
 * Where a function is on its bus, in one byte.
 */
#define HB_PCI_DEVFN(device, function) ((guint8)((((device)&0x1f) << 3) | ((function)&7)))

/**
 * HB_PCI_DEVICE:
 * @devfn: of a function
 *
 * The device number in it.
 */
#define HB_PCI_DEVICE(devfn) (((devfn) >> 3) & 0x1f)

/**
 * HB_PCI_FUNCTION:
 * @devfn: of a function
 *
 * The function number in it.
 */
#define HB_PCI_FUNCTION(devfn) ((devfn)&7)

/**
 * HbPciAddress:
 * @domain: or segment
 * @bus: bus number
 * @devfn: device and function, %HB_PCI_DEVFN
 *
 * Where a function sits on the host, written "0000:01:00.0".
 */
typedef struct HbPciAddress {
	guint16 domain;
	guint8 bus;
	guint8 devfn;
} HbPciAddress;

/** HB_PCI_ADDRESS_STRLEN: the bytes of an address in text, with the zero at its end. */
#define HB_PCI_ADDRESS_STRLEN sizeof("0000:00:00.0")

/**
 * hb_pci_address_parse:
 * @text: "DDDD:BB:DD.F" or "BB:DD.F" in hexadecimal
 * @address: (out): where it is
 *
 * Reads an address as people write it. Any thread.
 *
 * Returns: FALSE with %HB_ERROR_INVALID if @text is no PCI address
 */
gboolean hb_pci_address_parse(const char *text, HbPciAddress *address, GError **error);

/**
 * hb_pci_address_format:
 * @address: where it is
 * @buffer: (out): the caller's, for "0000:01:00.0"
 *
 * Writes an address as the kernel does. Any thread.
 *
 * Returns: @buffer
 */
const char *hb_pci_address_format(const HbPciAddress *address, char buffer[HB_PCI_ADDRESS_STRLEN]);

/**
 * HbHostBridge:
 *
 * The VM's PCI hierarchy: bus 0, and all that is behind it.
 */
typedef struct HbHostBridge HbHostBridge;

/** HbPort: a root port, or a downstream port of a switch, with one slot: slot.h. */
typedef struct HbPort HbPort;

/** HbSwitch: a PCI Express switch: switch.h. */
typedef struct HbSwitch HbSwitch;

typedef struct HbPciFunction HbPciFunction;

/**
 * HbPciFunctionReleased:
 *
 * Called once, on the loop, when a function holds nothing of the host any more and is freed.
 */
typedef void (*HbPciFunctionReleased)(gpointer data);

/**
 * HbPciFunctionOps:
 * @config_read: @size is 1, 2 or 4, @offset is aligned to it and below 4096; the value is in the
 * low bits
 * @config_write: likewise
 * @plugged: (nullable): the function belongs to @port now, perhaps waiting in line. From here on it
 * may report that it was pulled.
 * @attach: the function now sits below @bridge; its BARs may be mapped from here on
 * @reset: a conventional reset of the whole VM (PCIe r6.0 §6.6.1); all vCPUs are stopped, so it may
 *   wait for the device
 * @bus_reset: the guest resets the bus it is in a slot of (Bridge Control, Secondary Bus Reset), or
 *   switches the slot's power off. Must not wait for the device, which may read all-ones until its
 *   reset is done. NULL for a function that only sits on bus 0.
 * @sever: the function is gone, or is to be treated so: its BARs leave the guest's address
 *   space and its interrupts die before this returns. Must not sleep on the device or on the guest.
 *   Called again, does nothing.
 * @revoke: (nullable): a vCPU faulted in the kernel on an address that it did not name. Unmaps BARs
 * that cannot be reached any more. Returns whether it unmapped any, so that the access is worth a
 * retry.
 * @path_changed: (nullable): a bridge between the function and bus 0 has changed which memory
 *   accesses it forwards, or whether it passes on DMA: time to look again at BARs and bus mastering
 * @release: give everything back to the host, in a worker, then call @done on the loop and free
 *   the function. Called once, after @sever, without the bus lock. With @done NULL, when the whole
 *   bridge goes: all of it before this returns, on the calling thread.
 *
 * What a PCI function implements to sit on the root bus or in a slot. All but @release run with
 * the bus lock held, on a vCPU thread or the loop. Guest accesses never fail: what a function
 * does not implement reads zero, and a function that is gone reads all-ones.
 */
typedef struct HbPciFunctionOps {
	guint32 (*config_read)(HbPciFunction *function, guint offset, guint size);
	void (*config_write)(HbPciFunction *function, guint offset, guint size, guint32 value);
	void (*plugged)(HbPciFunction *function);
	void (*attach)(HbPciFunction *function, HbHostBridge *bridge);
	void (*reset)(HbPciFunction *function);
	void (*bus_reset)(HbPciFunction *function);
	void (*sever)(HbPciFunction *function);
	gboolean (*revoke)(HbPciFunction *function);
	void (*path_changed)(HbPciFunction *function);
	void (*release)(HbPciFunction *function, HbPciFunctionReleased done, gpointer data);
} HbPciFunctionOps;

/**
 * HbPciFunction:
 * @ops: what it does
 * @port: (nullable): the port in whose slot it sits; set by hb_port_plug()
 * @secondary: (nullable): the library's own: set in its bridges, NULL in all others
 * @request: the library's own: the number of the request that it is under
 *
 * The first member of every implementation's own struct.
 */
struct HbPciFunction {
	const HbPciFunctionOps *ops;
	HbPort *port;
	const struct HbSecondaryBusOps *secondary;
	guint64 request;
};

/**
 * HbAddressWindow:
 * @base: its first address
 * @size: bytes; 0: it is empty
 *
 * A range of the guest's physical addresses, or of its I/O ports.
 */
typedef struct HbAddressWindow {
	guint64 base;
	guint64 size;
} HbAddressWindow;

/**
 * HbHostBridgeConfig:
 * @ecam: memory-mapped configuration space, 1 MiB for each bus from bus 0 (PCIe r6.0 §7.2.2);
 *   aligned to its size, which is a power of two
 * @mem32: for BARs below 4 GiB
 * @mem64: for prefetchable and 64-bit BARs
 * @io: the I/O port range for bridges' I/O windows; may be empty
 *
 * Where the bridge is among the guest's addresses, which hold nothing else there.
 */
typedef struct HbHostBridgeConfig {
	HbAddressWindow ecam;
	HbAddressWindow mem32;
	HbAddressWindow mem64;
	HbAddressWindow io;
} HbHostBridgeConfig;

/**
 * hb_host_bridge_create:
 * @config: copied
 *
 * Makes root bus 0 with the host bridge at 00:00.0 (identified as Q35's) and nothing else. It owns
 * the bus lock, which guards everything guest-visible in the library.
 *
 * Returns: (nullable): NULL with %HB_ERROR_INVALID; free with hb_host_bridge_destroy()
 */
HbHostBridge *hb_host_bridge_create(HbHost *host, const HbHostBridgeConfig *config, GError **error);

/**
 * hb_host_bridge_destroy: frees the bridge with its ports, and gives back every drive before it
 * returns; the loop runs meanwhile. No vCPU runs any more; bays are destroyed before, and then the
 * listener is set to NULL (hb_host_set_listener()). Takes NULL. Loop thread.
 */
void hb_host_bridge_destroy(HbHostBridge *bridge);

/** hb_host_bridge_get_host: Returns: (transfer none): what it was created with. */
HbHost *hb_host_bridge_get_host(HbHostBridge *bridge);

/**
 * hb_host_bridge_add:
 * @devfn: where on bus 0
 * @function: (transfer full): released with the bridge
 *
 * Puts a function of the embedder's own on bus 0. Loop thread.
 *
 * Returns: FALSE with %HB_ERROR_BUSY if @devfn is taken; then @function stays the caller's
 */
gboolean hb_host_bridge_add(HbHostBridge *bridge, guint8 devfn, HbPciFunction *function,
			    GError **error);

/**
 * hb_host_bridge_lay_out:
 *
 * Does what firmware would: numbers the buses behind bridges, depth first; gives each bridge its
 * windows, as large as its port asks for or as what is behind it needs; and places the BARs of
 * functions that are already plugged. Before the guest starts. Loop thread.
 *
 * Returns: FALSE with %HB_ERROR_LIMIT if ECAM's buses or the windows of @HbHostBridgeConfig do not
 *   hold it all
 */
gboolean hb_host_bridge_lay_out(HbHostBridge *bridge, GError **error);

/**
 * hb_host_bridge_lay_out_again:
 *
 * Does it again after hb_host_bridge_reset(), for a machine that was laid out before: every bridge
 * has at least the windows that it had then. A function whose BARs do not fit is that function's
 * trouble: they stay without an address, and the log says so. Loop thread.
 *
 * Returns: FALSE with %HB_ERROR_LIMIT if a bridge was added that the machine has no room for
 */
gboolean hb_host_bridge_lay_out_again(HbHostBridge *bridge, GError **error);

/** hb_host_bridge_reset: resets all functions, conventionally. All vCPUs are stopped. Loop thread.
 */
void hb_host_bridge_reset(HbHostBridge *bridge);

/**
 * hb_host_bridge_mmio:
 * @gpa: guest physical address of the access
 * @data: @size bytes, little-endian: what to write, or where to store what was read
 * @size: 1 to 8
 * @is_write: the guest writes
 *
 * Carries out a guest access to memory that is no RAM. Any vCPU thread.
 *
 * Returns: TRUE if the address is the bridge's (ECAM, or any of its windows); else @data is
 * untouched
 */
gboolean hb_host_bridge_mmio(HbHostBridge *bridge, guint64 gpa, gpointer data, guint size,
			     gboolean is_write);

/**
 * hb_host_bridge_pio:
 * @port: the first I/O port of the access
 * @data: @size bytes, as for hb_host_bridge_mmio()
 * @size: 1, 2 or 4
 * @is_write: the guest writes
 *
 * Carries out a guest access to I/O ports. Any vCPU thread.
 *
 * Returns: TRUE if it is the bridge's: configuration address and data, 0xCF8 to 0xCFF but 0xCF9
 * (PCI r3.0 §3.2.2.3.2); else @data is untouched
 */
gboolean hb_host_bridge_pio(HbHostBridge *bridge, guint16 port, gpointer data, guint size,
			    gboolean is_write);

/**
 * hb_host_bridge_config_read:
 * @bus: bus number, as the guest has set it
 * @devfn: where on it
 * @offset: bytes, aligned to @size
 * @size: 1, 2 or 4
 *
 * Reads configuration space as the guest does. Any thread.
 *
 * Returns: what the guest would read; all-ones where there is no function
 */
guint32 hb_host_bridge_config_read(HbHostBridge *bridge, guint8 bus, guint8 devfn, guint offset,
				   guint size);

/**
 * hb_host_bridge_config_write:
 * @bus: bus number, as the guest has set it
 * @devfn: where on it
 * @offset: bytes, aligned to @size
 * @size: 1, 2 or 4
 * @value: in the low @size bytes
 *
 * Writes configuration space as the guest does, with all that comes of it. Any thread.
 */
void hb_host_bridge_config_write(HbHostBridge *bridge, guint8 bus, guint8 devfn, guint offset,
				 guint size, guint32 value);

/**
 * hb_host_bridge_find:
 * @bus: bus number, as the guest has set it
 * @devfn: where on it
 *
 * Returns: (transfer none) (nullable): the function there: on bus 0, in a slot, or in a switch; for
 * identification only, since it may go any moment. Any thread.
 */
HbPciFunction *hb_host_bridge_find(HbHostBridge *bridge, guint8 bus, guint8 devfn);

/**
 * hb_host_bridge_revoke:
 * @n_faults: (inout): this vCPU's faults in a row without a drive that had gone. The vCPU's own:
 *   set it to 0 at first, and whenever KVM_RUN succeeds
 *
 * To be called when KVM_RUN ends with EFAULT: looks for a drive that has gone under the access, and
 * withdraws its mappings. That nothing is found does not say that no drive had gone, since another
 * thread may have been there first; but that is not so many times in a row. Any vCPU thread.
 *
 * Returns: TRUE: the vCPU should simply run again; FALSE: these are too many faults, so it is not
 * drives that the host cannot reach. @n_faults is 0 then
 */
gboolean hb_host_bridge_revoke(HbHostBridge *bridge, guint *n_faults);

G_END_DECLS

#endif
