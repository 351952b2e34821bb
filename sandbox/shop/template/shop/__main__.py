"""Start the shop; PORT, VERSION, ENVIRONMENT and the others are read from the environment."""

from shop.server import serve
from shop.settings import from_environment

if __name__ == "__main__":
    serve(from_environment())
