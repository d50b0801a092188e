// SPDX-License-Identifier: MIT OR Apache-2.0
//! The codes of HNS: number, name and the system's message for each.
//!
//! The HCN and GCN rows are the published table (Virtualization-Documentation, api/hcn/Reference/HCNHResult.md); tests compare them with a
//! recorded copy and with hns-behaviour 3.1. The others are Windows' own codes that HNS is known to give (the same section, and what a store
//! can meet); a test compares them with a header that others wrote.

use super::HcnCode;

/// One code: number, name, message without the final period.
pub(super) type Row = (u32, &'static str, &'static str);

/// Declares a constant for each row, and the table of all of them.
macro_rules! codes {
    ($( $name:ident = $number:literal $message:literal; )*) => {
        impl HcnCode {
            $( #[doc = concat!($message, ".")] pub const $name: HcnCode = HcnCode($number); )*
        }
        /// Every code that has a name here.
        pub(super) const TABLE: &[Row] = &[$( ($number, stringify!($name), $message), )*];
    };
}

codes! {
    HCN_E_NETWORK_NOT_FOUND = 0x803b0001 "The network was not found";
    HCN_E_ENDPOINT_NOT_FOUND = 0x803b0002 "The endpoint was not found";
    HCN_E_LAYER_NOT_FOUND = 0x803b0003 "The network's underlying layer was not found";
    HCN_E_SWITCH_NOT_FOUND = 0x803b0004 "The virtual switch was not found";
    HCN_E_SUBNET_NOT_FOUND = 0x803b0005 "The network does not have a subnet for this endpoint";
    HCN_E_ADAPTER_NOT_FOUND = 0x803b0006 "An adapter was not found";
    HCN_E_PORT_NOT_FOUND = 0x803b0007 "The switch-port was not found";
    HCN_E_POLICY_NOT_FOUND = 0x803b0008 "An expected policy was not found";
    HCN_E_VFP_PORTSETTING_NOT_FOUND = 0x803b0009 "A required VFP port setting was not found";
    HCN_E_INVALID_NETWORK = 0x803b000a "The provided network configuration is invalid or missing parameters";
    HCN_E_INVALID_NETWORK_TYPE = 0x803b000b "Invalid network type";
    HCN_E_INVALID_ENDPOINT = 0x803b000c "The provided endpoint configuration is invalid or missing parameters";
    HCN_E_INVALID_POLICY = 0x803b000d "The provided policy configuration is invalid or missing parameters";
    HCN_E_INVALID_POLICY_TYPE = 0x803b000e "Invalid policy type";
    HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION = 0x803b000f "This requested operation is invalid for a remote endpoint";
    HCN_E_NETWORK_ALREADY_EXISTS = 0x803b0010 "A network with this name already exists";
    HCN_E_LAYER_ALREADY_EXISTS = 0x803b0011 "A network with this name already exists";
    HCN_E_POLICY_ALREADY_EXISTS = 0x803b0012 "Policy information already exists on this object";
    HCN_E_PORT_ALREADY_EXISTS = 0x803b0013 "The specified port already exists";
    HCN_E_ENDPOINT_ALREADY_ATTACHED = 0x803b0014 "This endpoint is already attached to the switch";
    HCN_E_REQUEST_UNSUPPORTED = 0x803b0015 "The specified request is unsupported";
    HCN_E_MAPPING_NOT_SUPPORTED = 0x803b0016 "Port mapping is not supported on the given network";
    HCN_E_DEGRADED_OPERATION = 0x803b0017 "There was an operation attempted on a degraded object";
    HCN_E_SHARED_SWITCH_MODIFICATION = 0x803b0018 "Cannot modify a switch shared by multiple networks";
    HCN_E_GUID_CONVERSION_FAILURE = 0x803b0019 "Failed to interpret a parameter as a GUID";
    HCN_E_REGKEY_FAILURE = 0x803b001a "Failed to process registry key";
    HCN_E_INVALID_JSON = 0x803b001b "Invalid JSON document string";
    HCN_E_INVALID_JSON_REFERENCE = 0x803b001c "The reference is invalid in the JSON document";
    HCN_E_ENDPOINT_SHARING_DISABLED = 0x803b001d "Endpoint sharing is disabled";
    HCN_E_INVALID_IP = 0x803b001e "IP address is either invalid or not part of any configured subnet(s)";
    HCN_E_SWITCH_EXTENSION_NOT_FOUND = 0x803b001f "The specified switch extension does not exist on this switch";
    HCN_E_MANAGER_STOPPED = 0x803b0020 "Operation cannot be performed while service is stopping";
    GCN_E_MODULE_NOT_FOUND = 0x803b0021 "Operation cannot be performed while service module not found";
    GCN_E_NO_REQUEST_HANDLERS = 0x803b0022 "Request Handlers not present to handle the JSON request";
    GCN_E_REQUEST_UNSUPPORTED = 0x803b0023 "The specified request is unsupported";
    GCN_E_RUNTIMEKEYS_FAILED = 0x803b0024 "Add runtime keys to container failed";
    GCN_E_NETADAPTER_TIMEOUT = 0x803b0025 "Timeout while waiting for network adapter with the given instance id";
    GCN_E_NETADAPTER_NOT_FOUND = 0x803b0026 "Network adapter not found for the given instance id";
    GCN_E_NETCOMPARTMENT_NOT_FOUND = 0x803b0027 "Network compartment not found for the given id";
    GCN_E_NETINTERFACE_NOT_FOUND = 0x803b0028 "Network interface not found for the given id";
    GCN_E_DEFAULTNAMESPACE_EXISTS = 0x803b0029 "Default Namespace already exists";
    HCN_E_ICS_DISABLED = 0x803b002a "Internet Connection Sharing service (SharedAccess) is disabled and cannot be started";
    HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS = 0x803b002b "This requested operation is invalid as endpoint is already part of a network namespace";
    HCN_E_ENTITY_HAS_REFERENCES = 0x803b002c "The specified entity cannot be removed while it still has references";
    HCN_E_INVALID_INTERNAL_PORT = 0x803b002d "The internal port must exist and cannot be zero";
    HCN_E_NAMESPACE_ATTACH_FAILED = 0x803b002e "The requested operation for attach namespace failed";
    HCN_E_ADDR_INVALID_OR_RESERVED = 0x803b002f "An address provided is invalid or reserved";
    HCN_E_INVALID_PREFIX = 0x803b0030 "The prefix provided is invalid";
    HCN_E_OBJECT_USED_AFTER_UNLOAD = 0x803b0031 "A call was performed against an object that was torn down";
    HCN_E_INVALID_SUBNET = 0x803b0032 "The provided subnet configuration is invalid or missing parameters";
    HCN_E_INVALID_IP_SUBNET = 0x803b0033 "The provided IP subnet configuration is invalid or missing parameters";
    HCN_E_ENDPOINT_NOT_ATTACHED = 0x803b0034 "The endpoint must be attached to complete the operation";
    HCN_E_ENDPOINT_NOT_LOCAL = 0x803b0035 "The endpoint must be local to complete the operation";
    HCN_INTERFACEPARAMETERS_ALREADY_APPLIED = 0x803b0036 "Cannot apply more than one InterfaceParameters policy";
    HCN_E_VFP_NOT_ALLOWED = 0x803b0037 "A network of this type can not be created because VFP is not available";
    E_NOTIMPL = 0x80004001 "Not implemented";
    E_POINTER = 0x80004003 "Invalid pointer";
    E_FAIL = 0x80004005 "Unspecified error";
    E_UNEXPECTED = 0x8000ffff "Catastrophic failure";
    E_ACCESSDENIED = 0x80070005 "Access is denied";
    E_HANDLE = 0x80070006 "The handle is invalid";
    E_OUTOFMEMORY = 0x8007000e "Not enough memory resources are available to complete this operation";
    ERROR_WRITE_PROTECT = 0x80070013 "The media is write protected";
    ERROR_SHARING_VIOLATION = 0x80070020 "The process cannot access the file because it is being used by another process";
    ERROR_WRONG_DISK = 0x80070022 "The wrong diskette is in the drive";
    E_INVALIDARG = 0x80070057 "The parameter is incorrect";
    ERROR_DISK_FULL = 0x80070070 "There is not enough space on the disk";
    ERROR_ALREADY_EXISTS = 0x800700b7 "Cannot create a file when that file already exists";
    ERROR_NO_MORE_ITEMS = 0x80070103 "No more data is available";
    ERROR_IO_DEVICE = 0x8007045d "The request could not be performed because of an I/O device error";
    ERROR_NOT_FOUND = 0x80070490 "Element not found";
    ERROR_FILE_CORRUPT = 0x80070570 "The file or directory is corrupted and unreadable";
    RPC_S_SERVER_UNAVAILABLE = 0x800706ba "The RPC server is unavailable";
}
