"""GitHub's JSON for deployments, statuses and releases."""

from __future__ import annotations

from sandbox.services.github.shapes import Json, Shapes, node_id
from sandbox.services.github.state import CommitStatus, Deployment, DeploymentStatus, Release


def deployment(shapes: Shapes, item: Deployment) -> Json:
    url = f"{shapes.repo_url}/deployments/{item.id}"
    return {
        "url": url,
        "id": item.id,
        "node_id": node_id("Deployment", item.id),
        "sha": item.sha,
        "ref": item.ref,
        "task": item.task,
        "payload": item.payload,
        "original_environment": item.environment,
        "environment": item.environment,
        "description": item.description,
        "creator": shapes.user(item.creator),
        "created_at": item.at,
        "updated_at": item.statuses[-1].at if item.statuses else item.at,
        "statuses_url": f"{url}/statuses",
        "repository_url": shapes.repo_url,
        "transient_environment": item.transient,
        "production_environment": item.production,
    }


def deployment_status(shapes: Shapes, item: Deployment, status: DeploymentStatus) -> Json:
    url = f"{shapes.repo_url}/deployments/{item.id}"
    return {
        "url": f"{url}/statuses/{status.id}",
        "id": status.id,
        "node_id": node_id("DeploymentStatus", status.id),
        "state": status.state,
        "creator": shapes.user(status.creator),
        "description": status.description,
        "environment": item.environment,
        "target_url": status.log_url,
        "created_at": status.at,
        "updated_at": status.at,
        "deployment_url": url,
        "repository_url": shapes.repo_url,
        "environment_url": status.environment_url,
        "log_url": status.log_url,
    }


def commit_status(shapes: Shapes, status: CommitStatus) -> Json:
    return {
        "url": f"{shapes.repo_url}/statuses/{status.sha}",
        "avatar_url": f"{shapes.api}/avatars/{status.creator}",
        "id": status.id,
        "node_id": node_id("Status", status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": status.at,
        "updated_at": status.at,
        "creator": shapes.user(status.creator),
    }


def release(shapes: Shapes, item: Release) -> Json:
    url = f"{shapes.repo_url}/releases/{item.id}"
    return {
        "url": url,
        "html_url": f"{shapes.html_url}/releases/tag/{item.tag}",
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "tarball_url": f"{shapes.repo_url}/tarball/{item.tag}",
        "zipball_url": f"{shapes.repo_url}/zipball/{item.tag}",
        "id": item.id,
        "node_id": node_id("Release", item.id),
        "tag_name": item.tag,
        "target_commitish": item.target,
        "name": item.name,
        "body": item.body,
        "draft": item.draft,
        "prerelease": item.prerelease,
        "immutable": False,
        "created_at": item.at,
        "updated_at": item.published or item.at,
        "published_at": item.published,
        "author": shapes.user(item.author),
        "assets": [],
    }
