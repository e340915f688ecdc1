"""SSH keys for virtual machines: validation, fingerprint, immutability."""

import re

import pytest

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHtm6uenhaRwH6vl3V69ETCuChlrQHC2GJeyuZNpg3kI ada@example.com"
FINGERPRINT = "SHA256:PgKNhT/rULgGhhMnTpRcqKXBk0NnZ6uK8Kv2EJom9CE"


def add_key(tenant, **spec):
    """Create a key."""
    return tenant.create("vmsshkeys", "laptop", {"publicKey": KEY} | spec)


def test_a_key_is_validated_after_a_few_seconds(tenant):
    """Its status then has the fingerprint that ssh-keygen prints."""
    assert add_key(tenant, description="mine").status == 201
    assert "status" not in tenant.get("vmsshkeys", "laptop").said
    tenant.spot.advance(5)
    assert tenant.get("vmsshkeys", "laptop").said["status"] == {"fingerprint": FINGERPRINT, "validated": True}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "hello",
        "ssh-ed25519",
        "ssh-ed25519 !!!! ada",
        "ssh-rsa " + KEY.split()[1],
        "ssh-dss " + KEY.split()[1],
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        KEY + "\n" + KEY,
    ],
)
def test_the_webhook_refuses_an_invalid_key(tenant, key):
    """403 with the webhook's message."""
    answer = add_key(tenant, publicKey=key)
    assert answer.status == 403
    assert re.match(r'admission webhook "vvmsshkey.ngpc.rxt.io" denied the request: .*OpenSSH', answer.message)


def test_the_public_key_is_required(tenant):
    """By the schema, so the refusal is a 422."""
    assert tenant.create("vmsshkeys", "laptop", {"description": "none"}).status == 422


@pytest.mark.parametrize("patch", [{"publicKey": KEY + "2"}, {"description": "other"}, {"description": None}])
def test_a_key_is_immutable(tenant, patch):
    """Neither the key nor its description can be changed."""
    add_key(tenant, description="mine")
    assert tenant.patch("vmsshkeys", "laptop", {"spec": patch}).status == 403


def test_a_key_is_deleted_at_once(tenant):
    """It has no finalizer."""
    add_key(tenant)
    assert tenant.delete("vmsshkeys", "laptop").status == 200
    assert tenant.names("vmsshkeys") == []
